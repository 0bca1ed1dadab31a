"""Places in a JSON document, as people write them: a JSON pointer (RFC 6901) or names with dots between.

    /architecture/width    architecture.width    /budget/max/0    budget.max.0

Only the pointer can name a field that has a dot in it. Documents are never changed: to put a value
into one gives another, which shares whatever lies beside the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from models.errors import InvalidInputError

Place = tuple[str, ...]
"""The steps from the top of a document to a value in it; entries of lists by their number, from 0."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_LOOSE_TILDE = re.compile(r"~(?![01])")


DEEPEST = 32
"""Steps of a place; a job has five levels."""


def place_of(text: str) -> Place:
    """The place that a text names. Raises InvalidInputError where it names none."""
    if text.count("/") + text.count(".") > DEEPEST:
        raise InvalidInputError("a place has too many steps.", fix=f"Use {DEEPEST} at most.")
    if text.startswith("/"):
        if _LOOSE_TILDE.search(text):
            raise InvalidInputError(f"{text!r} is not a JSON pointer.", fix="Write ~ as ~0 and / as ~1.")
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))
    place = tuple(text.split("."))
    if not all(place):
        raise InvalidInputError(
            f"{text!r} names no field.", fix="Write /architecture/width or architecture.width."
        )
    return place


def pointer_to(place: Place) -> str:
    """A place as a JSON pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in place)


def holds(document: Any, place: Place) -> bool:
    """Whether a document has a value at a place."""
    for step in place:
        if isinstance(document, Mapping) and step in document:
            document = document[step]
        elif isinstance(document, list) and _INDEX.fullmatch(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return False
    return True


def put(document: Any, place: Place, value: Any, *, above: Place = ()) -> Any:
    """The document with a value at a place; objects on the way are made where they are missing.

    Raises InvalidInputError where the way leads through a value without parts, or past the end of a list.
    """
    if not place:
        return value
    step, rest = place[0], place[1:]
    here = (*above, step)
    if isinstance(document, Mapping):
        return {**document, step: put(_part(document, step, rest, here), rest, value, above=here)}
    if isinstance(document, list):
        index = _index(document, step, above)
        return [*document[:index], put(document[index], rest, value, above=here), *document[index + 1 :]]
    raise InvalidInputError(
        f"{pointer_to(above) or 'the job'} is neither an object nor a list.",
        fix="Name a field that is there.",
    )


def leaves(document: Any, above: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that is no object, and every empty object, by its place; a list counts as one value."""
    if isinstance(document, Mapping) and document:
        for name, below in document.items():
            yield from leaves(below, (*above, name))
    else:
        yield above, document


def _part(document: Mapping[str, Any], step: str, rest: Place, here: Place) -> Any:
    found = document.get(step)
    if found is not None or not rest:
        return found
    if _INDEX.fullmatch(rest[0]):
        raise InvalidInputError(
            f"there is no list at {pointer_to(here)}.", fix=f"Give the template {pointer_to(here)}."
        )
    return {}


def _index(document: list[Any], step: str, above: Place) -> int:
    if _INDEX.fullmatch(step) and int(step) < len(document):
        return int(step)
    there = f"it has {len(document)}" if len(document) != 1 else "it has one"
    raise InvalidInputError(
        f"there is no entry {step} in the list {pointer_to(above)}; {there}.",
        fix="Count from 0, or give the whole list.",
    )
