"""Turns pydantic's errors into field errors: a JSON pointer, a plain sentence, a fix and a stable code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from service.api.schema import Place, Schema, allowed, follow, known_fields, wanted_type
from service.problem import FieldError

MOST_ERRORS = 50
"""A body with more mistakes than this reads no better for a longer list."""

Details = Mapping[str, Any]
"""One entry of `ValidationError.errors()`."""


def pointer_of(place: Iterable[str | int]) -> str:
    """A place as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def field_errors(errors: Sequence[Details], root: Schema) -> list[FieldError]:
    """One error per field; a list's own error gives way to those of its items."""
    found: dict[Place, FieldError] = {}
    for details in errors[: 4 * MOST_ERRORS]:
        place, error = _placed(details, root)
        found.setdefault(place, error)
    kept = [error for place, error in found.items() if not _has_below(place, found)]
    return kept[:MOST_ERRORS]


def parameter_errors(errors: Sequence[Details], root: Schema) -> list[FieldError]:
    """The same for the query parameters of a request."""
    return [
        error.model_copy(update={"pointer": "", "parameter": error.pointer.removeprefix("/")})
        for error in field_errors(errors, root)
    ]


def shown(value: Any) -> str:
    """A value as its author wrote it, cut short."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _has_below(place: Place, found: Mapping[Place, FieldError]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in found)


Explained = tuple[str, str, str]
"""Code, detail and fix."""
Explain = Callable[[Schema, Details], Explained]


def _placed(details: Details, root: Schema) -> tuple[Place, FieldError]:
    loc: Place = tuple(details["loc"])
    place, schema = follow(root, loc)
    if details["type"] == "extra_forbidden":
        place, explained = loc, _unknown_field(schema, details)
    elif place != loc:
        explained = _wrong_type(schema, details)
    else:
        explained = _EXPLANATIONS.get(details["type"], _by_family(details["type"]))(schema, details)
    code, detail, fix = explained
    return place, FieldError(pointer=pointer_of(place), detail=detail, fix=fix, code=code)


def _missing(schema: Schema, details: Details) -> Explained:
    return "missing", "this field is missing.", f"Add it; it takes {wanted_type(schema)}."


def _out_of_range(schema: Schema, details: Details) -> Explained:
    words = {"ge": "less than", "gt": "not greater than", "le": "greater than", "lt": "not less than"}
    key, bound = next((key, value) for key, value in details["ctx"].items() if key in words)
    return "out_of_range", f"{shown(details['input'])} is {words[key]} {bound}.", f"Use {allowed(schema)}."


def _not_finite(schema: Schema, details: Details) -> Explained:
    return "not_finite", "NaN and infinity are not numbers that a job can use.", f"Use {_any_value(schema)}."


def _unknown_value(schema: Schema, details: Details) -> Explained:
    return "unknown_value", f"{shown(details['input'])} is not known here.", f"Use {allowed(schema)}."


def _bad_text(schema: Schema, details: Details) -> Explained:
    fix = "Use 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit."
    return "invalid_name", f"{shown(details['input'])} is not a name.", fix


def _too_short(schema: Schema, details: Details) -> Explained:
    least = details["ctx"]["min_length"]
    return "out_of_range", f"{details['ctx']['actual_length']} values are too few.", f"Give at least {least}."


def _too_long(schema: Schema, details: Details) -> Explained:
    most = details["ctx"]["max_length"]
    return "out_of_range", "there are too many values.", f"Give at most {most}."


def _own_rule(schema: Schema, details: Details) -> Explained:
    detail, _, fix = details["msg"].removeprefix("Value error, ").partition("; ")
    return "invalid", f"{detail}.", f"{fix[:1].upper()}{fix[1:]}." if fix else ""


def _wrong_type(schema: Schema, details: Details) -> Explained:
    return (
        "wrong_type",
        f"{shown(details['input'])} is not {wanted_type(schema)}.",
        f"Use {_any_value(schema)}.",
    )


def _other(schema: Schema, details: Details) -> Explained:
    return "invalid", f"{details['msg']}.", ""


def _any_value(schema: Schema) -> str:
    return ", ".join(part for part in (wanted_type(schema), allowed(schema)) if part)


def _by_family(kind: str) -> Explain:
    return _wrong_type if kind.endswith(("_type", "_parsing", "_from_float")) else _other


def _unknown_field(parent: Schema, details: Details) -> Explained:
    name = shown(details["loc"][-1])
    return (
        "unknown_field",
        f"there is no field {name} here.",
        f"The fields are {', '.join(known_fields(parent))}.",
    )


_EXPLANATIONS: Mapping[str, Explain] = {
    "missing": _missing,
    "greater_than_equal": _out_of_range,
    "greater_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "finite_number": _not_finite,
    "literal_error": _unknown_value,
    "string_pattern_mismatch": _bad_text,
    "too_short": _too_short,
    "too_long": _too_long,
    "value_error": _own_rule,
}
