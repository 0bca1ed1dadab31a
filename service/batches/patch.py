"""JSON merge patches (RFC 7396): an object whose fields replace those of another; null takes a field away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def patched(document: Any, patch: Any) -> Any:
    """The document that a merge patch makes of another; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    base = document if isinstance(document, Mapping) else {}
    kept = {name: value for name, value in base.items() if patch.get(name, "") is not None}
    changed = {name: patched(base.get(name), value) for name, value in patch.items() if value is not None}
    return {**kept, **changed}


def patch_between(document: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch that makes `changed` of `document`; lists that differ are replaced whole."""
    patch: dict[str, Any] = dict.fromkeys(document.keys() - changed.keys())
    for name, value in changed.items():
        before = document.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            below = patch_between(before, value)
            if below:
                patch[name] = below
        elif name not in document or not _same(before, value):
            patch[name] = value
    return patch


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return type(one) is type(other) and bool(one == other)
