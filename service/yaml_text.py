"""YAML as jobs are written in it: read with the types of JSON, and written so that it reads back the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from models.errors import InvalidInputError

_FLOAT = "tag:yaml.org,2002:float"
_EXPONENT = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")
_FIRST = list("-+0123456789")


class Loader(yaml.SafeLoader):
    """YAML without objects of Python. A number such as 5e-4, which YAML 1.1 takes for text, is a number."""


class _NoAliases(Loader):
    """The same without references, by which a short text may stand for an endless document."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*name) are not possible here")
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Puts text that `Loader` would read as a number into quotes, and never writes references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


Loader.add_implicit_resolver(_FLOAT, _EXPONENT, _FIRST)
_Dumper.add_implicit_resolver(_FLOAT, _EXPONENT, _FIRST)


def read_value(text: str) -> Any:
    """A value as it would stand in a file: `16`, `0.1`, `[0, 1]`, `adam`. Raises InvalidInputError."""
    try:
        return with_json_types(yaml.load(text, Loader=Loader))  # noqa: S506 - a SafeLoader, see above
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidInputError(f"{text!r} is neither YAML nor JSON.", fix="Put text in quotes.") from None


def read_fields(text: str) -> dict[str, Any]:
    """Fields by name, from somebody who may be anybody; empty for no text. Raises InvalidInputError."""
    try:
        document = with_json_types(yaml.load(text, Loader=_NoAliases))  # noqa: S506 - a SafeLoader too
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInputError(f"this is not YAML: {reason[:300]}.", fix="Put text in quotes.") from None
    if document is not None and not isinstance(document, dict):
        raise InvalidInputError("these are not fields by name.", fix="Write lines such as `name: value`.")
    return document or {}


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document of JSON's types as YAML, short lists and objects on one line; empty for no fields."""
    if not document:
        return ""
    return yaml.dump(
        dict(document),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


def with_json_types(value: Any, depth: int = 0) -> Any:
    """A value with the types of JSON; a date, which YAML reads out of plain text, is the text again."""
    if depth > 50:
        raise InvalidInputError("the job is nested too deeply.")
    if isinstance(value, dict):
        return {str(name): with_json_types(below, depth + 1) for name, below in value.items()}
    if isinstance(value, list | tuple | set):
        return [with_json_types(below, depth + 1) for below in value]
    return value.isoformat() if isinstance(value, date) else value
