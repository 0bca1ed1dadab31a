"""Reads a job from a YAML or JSON file as its author wrote it; the service checks what it means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from models.errors import InvalidInputError
from service.yaml_text import Loader, with_json_types


def read_spec(path: Path) -> dict[str, Any]:
    """The job in a file, or on standard input for `-`. Raises InvalidInputError."""
    return read_mapping(path, "a job", fix="Write fields such as `name:` and `architecture:`.")


def read_mapping(path: Path, what: str, *, fix: str = "") -> dict[str, Any]:
    """What a YAML or JSON file says by name, with the types of JSON. Raises InvalidInputError."""
    text = read_text(path)
    try:
        document = yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader, see there
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInputError(f"{path} is neither YAML nor JSON: {reason}.") from None
    except RecursionError:
        raise InvalidInputError(f"{path} is nested too deeply.") from None
    if not isinstance(document, dict):
        raise InvalidInputError(f"{path} does not hold {what}.", fix=fix)
    return {str(name): with_json_types(value) for name, value in document.items()}


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
