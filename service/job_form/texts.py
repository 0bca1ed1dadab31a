"""How one field reads and shows: the texts of its inputs <-> a value of JSON.

`read` says ABSENT where a field leaves the job's default. For every value that `show` takes,

    read(kind, show(kind, value)) = value;

what it does not take is None, and stands among the other fields, as YAML. Text that is no number stays text:
whether a field may have it is for the check of the job to say.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, assert_never

Kind = Literal["text", "choice", "number", "setting", "numbers", "many", "flag", "pair", "labels"]
Texts = Sequence[str]


class _Absent:
    """The type of ABSENT."""


ABSENT: Final = _Absent()
"""The field says nothing, and the job has its default."""
_BETWEEN = re.compile(r"[,\s]+")
_WHOLE_FLOATS = 1e15  # those below are written without a point, and read back exactly


def read(kind: Kind, texts: Texts, *, ends: tuple[Any, Any] = (None, None)) -> Any:
    """The value of a field; `ends` are what a pair has where one of its inputs is empty."""
    first = next((text.strip() for text in texts if text.strip()), "")
    found: Any
    match kind:
        case "text" | "choice":
            found = first
        case "number" | "setting":
            found = _scalar(first)
        case "numbers":
            found = [_scalar(part) for part in _BETWEEN.split(first) if part]
        case "many":
            return [text.strip() for text in texts if text.strip()]
        case "flag":
            found = True
        case "pair":
            found = _pair(texts, ends)
        case "labels":
            found = _labels(first)
        case _:
            assert_never(kind)
    return found if first else ABSENT


def show(kind: Kind, value: Any) -> list[str] | None:
    """The texts of a field's inputs for a value; None where they could not say it."""
    texts = _texts(kind, value)
    if texts is None or not _same(read(kind, texts), value):
        return None
    return texts


def _texts(kind: Kind, value: Any) -> list[str] | None:
    found: list[str] | None = None
    match kind:
        case "text" | "choice":
            found = [value] if isinstance(value, str) else None
        case "number":
            found = [_number(value)]
        case "setting":
            found = [_setting(value)]
        case "numbers":
            found = [", ".join(map(_number, value))] if isinstance(value, list) else None
        case "many":
            found = [str(one) for one in value] if isinstance(value, list) else None
        case "flag":
            found = ["true"]
        case "pair":
            is_pair = isinstance(value, list) and len(value) == 2
            found = [_number(one) for one in value] if is_pair else None
        case "labels":
            found = _label_lines(value) if isinstance(value, dict) else None
        case _:
            assert_never(kind)
    return found


def _scalar(text: str) -> Any:
    """A number, true, false or text in quotes as JSON has them; other text as it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if found is None or isinstance(found, dict | list) else found


def _number(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and math.fabs(value) < _WHOLE_FLOATS:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _setting(value: Any) -> str:
    """A value whose type counts: text that would read as something else is put in quotes."""
    if isinstance(value, str) and value and value == value.strip() and _scalar(value) == value:
        return value
    return json.dumps(value)


def _pair(texts: Texts, ends: tuple[Any, Any]) -> list[Any]:
    found = [_scalar(text.strip()) if text.strip() else end for text, end in zip(texts, ends, strict=False)]
    return [one for one in found if one is not None]


def _label_lines(labels: dict[str, Any]) -> list[str]:
    return ["\n".join(f"{key}: {value}" for key, value in labels.items())]


def _labels(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in lines}


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, though 2.0 is 2."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
