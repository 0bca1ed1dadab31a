"""Reads a job from a YAML or JSON file as its author wrote it; the service checks what it means."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from models.errors import InvalidInputError


class _Loader(yaml.SafeLoader):
    """YAML without objects of Python. A number such as 5e-4, which YAML 1.1 takes for text, is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_spec(path: Path) -> dict[str, Any]:
    """The job in a file, or on standard input for `-`. Raises InvalidInputError."""
    return read_mapping(path, "a job", fix="Write fields such as `name:` and `architecture:`.")


def read_mapping(path: Path, what: str, *, fix: str = "") -> dict[str, Any]:
    """What a YAML or JSON file says by name, with the types of JSON. Raises InvalidInputError."""
    text = read_text(path)
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, see above
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInputError(f"{path} is neither YAML nor JSON: {reason}.") from None
    except RecursionError:
        raise InvalidInputError(f"{path} is nested too deeply.") from None
    if not isinstance(document, dict):
        raise InvalidInputError(f"{path} does not hold {what}.", fix=fix)
    return {str(name): _plain(value) for name, value in document.items()}


def read_text(path: Path) -> str:
    """The text of a file, or standard input for `-`. Raises InvalidInputError."""
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path} is not text in UTF-8.") from None


def _plain(value: Any, depth: int = 0) -> Any:
    """A value with the types of JSON; a date, which YAML reads out of plain text, is the text again."""
    if depth > 50:
        raise InvalidInputError("the job is nested too deeply.")
    if isinstance(value, dict):
        return {str(name): _plain(below, depth + 1) for name, below in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(below, depth + 1) for below in value]
    return value.isoformat() if isinstance(value, date) else value
