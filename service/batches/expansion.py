"""Makes the jobs of a batch, as JSON documents not checked yet, and knows where their fields are from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import InvalidInputError
from service.batches.patch import patched
from service.batches.places import Place, holds, leaves, place_of, pointer_to, put
from service.batches.spec import MOST_JOBS, BatchSpec

NAME: Place = ("name",)
LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One value of a field of the grid: the field as it was written, its place in a job, and which value."""

    key: str
    place: Place
    number: int
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """One job of a batch: its number from 0, its entry in `jobs`, its values of the grid, its document.

    `named` says that its name is its own and not the template's.
    """

    index: int
    entry: int | None
    choices: tuple[Choice, ...]
    document: Mapping[str, Any]
    named: bool

    def title(self, total: int) -> str:
        """Which one it is, in words."""
        values = ", ".join(f"{pointer_to(one.place)} = {_short(one.value)}" for one in self.choices)
        return f"job {self.index + 1} of {total}" + (f", with {values}" if values else "")


def combinations(spec: BatchSpec) -> list[Combination]:
    """Every job of a batch, in order.

    Raises InvalidInputError, with its pointer into the batch, where there is none or more than MOST_JOBS, or
    where a field of the grid has no place in a job, or the same as another.
    """
    _check_size(spec)
    axes = _axes(spec)
    found: list[Combination] = []
    for entry, base in _bases(spec):
        for choices in itertools.product(*axes):
            found.append(_combination(spec, len(found), entry, base, choices))
    return found


def overrides(found: Sequence[Combination]) -> list[dict[str, Any]]:
    """For each job the fields that are not the same in all of them, by pointer; names are left out."""
    flat = [dict(leaves(one.document)) for one in found]
    places = dict.fromkeys(place for fields in flat for place in fields)
    telling = [place for place in places if place != NAME and _differs([one.get(place) for one in flat])]
    return [{pointer_to(place): one[place] for place in telling if place in one} for one in flat]


def pointer_in_batch(spec: BatchSpec, one: Combination, place: Place) -> str:
    """Where the body of the batch decides on a field of one of its jobs."""
    for choice in one.choices:
        key = ("grid", choice.key)
        if place[: len(choice.place)] == choice.place:
            return pointer_to((*key, str(choice.number), *place[len(choice.place) :]))
        if choice.place[: len(place)] == place and not holds(_base(spec, one.entry), place):
            return pointer_to(key)
    if one.entry is not None and (not spec.template or holds(spec.jobs[one.entry], place)):
        return pointer_to(("jobs", str(one.entry), *place))
    return pointer_to(("template", *place))


def _check_size(spec: BatchSpec) -> None:
    size = spec.size()
    if size == 0:
        fix = 'Give `grid`, as in {"/seeds": [[0], [1]]}, or `jobs`.'
        raise InvalidInputError("there is nothing to vary: the batch has neither a grid nor jobs.", fix=fix)
    if size > MOST_JOBS:
        pointer = "/grid" if spec.grid else "/jobs"
        fix = f"Use {MOST_JOBS} at most, and a second batch for the rest."
        raise InvalidInputError(f"the batch has {size} jobs.", fix=fix, pointer=pointer)


def _axes(spec: BatchSpec) -> list[list[Choice]]:
    places = {key: _place(key) for key in spec.grid}
    for one, other in itertools.combinations(places, 2):
        shorter, longer = sorted((places[one], places[other]), key=len)
        if longer[: len(shorter)] == shorter:
            detail = f"{pointer_to(places[other])} and {pointer_to(places[one])} set the same field."
            raise InvalidInputError(detail, fix="Keep one of them.", pointer=pointer_to(("grid", other)))
    return [_choices(key, place, spec.grid[key]) for key, place in places.items()]


def _place(key: str) -> Place:
    try:
        return place_of(key)
    except InvalidInputError as error:
        error.pointer = pointer_to(("grid", key))
        raise


def _choices(key: str, place: Place, values: Sequence[Any]) -> list[Choice]:
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        first = seen.setdefault(json.dumps(value, sort_keys=True), number)
        if first != number:
            pointer = pointer_to(("grid", key, str(number)))
            detail = f"{_short(value)} is there twice."
            raise InvalidInputError(detail, fix="Name each value once.", pointer=pointer)
    return [Choice(key=key, place=place, number=n, value=value) for n, value in enumerate(values)]


def _bases(spec: BatchSpec) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    for entry in range(len(spec.jobs)) if spec.jobs else (None,):
        yield entry, _base(spec, entry)


def _base(spec: BatchSpec, entry: int | None) -> Mapping[str, Any]:
    """The template, patched with an entry of `jobs`."""
    document: Mapping[str, Any] = spec.template if entry is None else patched(spec.template, spec.jobs[entry])
    return document if "name" in document or spec.name is None else {**document, "name": spec.name}


def _combination(
    spec: BatchSpec, index: int, entry: int | None, base: Mapping[str, Any], choices: tuple[Choice, ...]
) -> Combination:
    document = base
    for choice in choices:
        try:
            document = put(document, choice.place, choice.value)
        except InvalidInputError as error:
            error.pointer = pointer_to(("grid", choice.key))
            raise
    named = any(one.place == NAME for one in choices) or (entry is not None and "name" in spec.jobs[entry])
    if not named:
        document = _numbered(document, index, spec.size())
    return Combination(index=index, entry=entry, choices=choices, document=document, named=named)


def _numbered(document: Mapping[str, Any], index: int, total: int) -> Mapping[str, Any]:
    """With its number behind a name that it shares with others; a name that cannot be one stays as it is."""
    name = document.get("name")
    if total == 1 or not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return document
    number = f".{index + 1:0{len(str(total))}d}"
    return {**document, "name": name[: LONGEST_NAME - len(number)] + number}


def _differs(values: Sequence[Any]) -> bool:
    first = json.dumps(values[0], sort_keys=True)
    return any(json.dumps(value, sort_keys=True) != first for value in values[1:])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
