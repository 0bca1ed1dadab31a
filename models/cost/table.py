"""A user's own table of costs: rows (kind, T, Bs, Bw) -> cost, written as CSV.

    table    sum over layers of   MACs * cost(kind, T, Bs, Bw)     where the rows are for the layer's kind
                                  cost(name, T, Bs, Bw)            where there are rows for the layer's name

so rows for a kind say what one multiply-accumulate costs over all its steps, rows for a layer what the whole
layer costs. Bs is the mean over the steps, Bw the mean over channels, or a partner's mean spike bits; between
the rows costs are multilinear (models.cost.grid). A layer without MACs costs nothing unless it is named.

The rows of a kind form a full grid: every combination of the values that they name. Costs are positive and
never fall where a bit or a step is added. Repair, sampling and the least cost that a refusal names rely on
that: they take the least bits for the cheapest.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import groupby, product
from typing import Any, Self

from models.allocation import MAX_BITS, MAX_STEPS
from models.cost.grid import Grid, Place
from models.cost.layers import LayerLoad, LayerShape, Number, plain
from models.errors import InvalidInputError

COLUMNS = ("kind", "steps", "spike_bits", "weight_bits", "cost")
MOST_ROWS = 65_536
MOST_COST = 1e15
LONGEST_NAME = 200
SHOWN = 3
GREATEST = {"steps": MAX_STEPS, "spike_bits": MAX_BITS, "weight_bits": MAX_BITS}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class CostRow:
    """One entry; `kind` is a kind of layer or the name of one."""

    kind: str
    steps: int
    spike_bits: int
    weight_bits: int
    cost: float

    @classmethod
    def read(cls, fields: Mapping[str, Any], place: str) -> Self:
        """From text or numbers; `place` says where they stand. Raises InvalidInputError."""
        kind = fields["kind"]
        if not isinstance(kind, str) or not 0 < len(kind.strip()) <= LONGEST_NAME:
            raise InvalidInputError(f"{place} of the cost table names no kind of layer.")
        whole = {name: _whole(fields[name], name, place) for name in GREATEST}
        return cls(kind=kind.strip(), cost=_cost(fields["cost"], place), **whole)

    @property
    def bits(self) -> Place:
        """(T, Bs, Bw)."""
        return self.steps, self.spike_bits, self.weight_bits


@dataclass(frozen=True, kw_only=True, slots=True)
class CostTable:
    """Costs by kind of layer, or by layer, each on a grid of its own."""

    grids: tuple[Grid, ...]

    @classmethod
    def of(cls, rows: Iterable[CostRow]) -> Self:
        """A table of rows in any order.

        Raises InvalidInputError where rows are missing, there twice, too many, or fall in cost.
        """
        ordered = sorted(rows)
        if not 0 < len(ordered) <= MOST_ROWS:
            raise InvalidInputError(f"a cost table has 1 to {MOST_ROWS} rows; this one has {len(ordered)}.")
        grids = tuple(_grid(kind, list(own)) for kind, own in groupby(ordered, key=lambda row: row.kind))
        for grid in grids:
            _check_rising(grid)
        return cls(grids=grids)

    @classmethod
    def from_csv(cls, text: str) -> Self:
        """A table from text with the header `kind,steps,spike_bits,weight_bits,cost`. Raises as `of` does."""
        return cls.of(CostRow.read(fields, f"line {line}") for line, fields in _csv_rows(text))

    def to_csv(self) -> str:
        """The rows in order; equal tables give equal text."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(row) for grid in self.grids for row in _rows_of(grid))
        return text.getvalue()

    def cost(self, loads: Sequence[LayerLoad]) -> Number:
        """The cost of some layers. Raises InvalidInputError where an entry is missing."""
        return sum(self._layer_cost(load) for load in loads)

    def covers(self, loads: Sequence[LayerLoad]) -> bool:
        """Whether there is an entry for every layer."""
        return all(self._covers(load) for load in loads)

    def check(self, loads: Sequence[LayerLoad]) -> None:
        """Raise InvalidInputError, naming the entry that is missing, unless every layer has one."""
        for load in loads:
            if not self._covers(load):
                raise _missing(load)

    def unknown(self, layers: Sequence[LayerShape], kinds: Sequence[str]) -> list[str]:
        """The names in the table that are neither kinds nor layers."""
        known = {*kinds, *(layer.name for layer in layers)}
        return [grid.name for grid in self.grids if grid.name not in known]

    def _covers(self, load: LayerLoad) -> bool:
        grid = self._grid_of(load.shape)
        if grid is None:
            return load.shape.macs == 0
        return grid.covers([plain(value) for value in _bits(load)])

    def _layer_cost(self, load: LayerLoad) -> Number:
        if not self._covers(load):
            raise _missing(load)
        grid = self._grid_of(load.shape)
        if grid is None:
            return 0.0
        times = 1 if grid.name == load.shape.name else load.shape.macs
        return times * grid.cost(_bits(load))

    def _grid_of(self, layer: LayerShape) -> Grid | None:
        """That of the layer itself, else that of its kind."""
        named = {grid.name: grid for grid in self.grids}
        return named.get(layer.name) or (named.get(layer.kind) if layer.macs else None)


def _bits(load: LayerLoad) -> tuple[Number, Number, Number]:
    return load.steps, load.mean_spike_bits, load.weight_bits


def _missing(load: LayerLoad) -> InvalidInputError:
    steps, spike, weight = (plain(value) for value in _bits(load))
    return InvalidInputError(
        f"the cost table has no entry for layer {load.shape.name} ({load.shape.kind}) with "
        f"steps {steps:g}, spike_bits {spike:g}, weight_bits {weight:g}.",
        fix=f"Add rows for {load.shape.kind} or {load.shape.name} that reach it, or narrow /bits.",
    )


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
            raise InvalidInputError(
                f"the header of the cost table is {','.join(reader.fieldnames or ()) or 'missing'}.",
                fix=f"Begin with the line {','.join(COLUMNS)}.",
            )
        for fields in reader:
            if None in fields or None in fields.values():
                raise InvalidInputError(
                    f"line {reader.line_num} of the cost table has not {len(COLUMNS)} values."
                )
            yield reader.line_num, fields
    except csv.Error as error:
        raise InvalidInputError(f"the cost table is not CSV: {error}.") from None


def _whole(value: Any, name: str, place: str) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= GREATEST[name]:
        raise InvalidInputError(
            f"{place} of the cost table has {name} {value!r}.", fix=f"Use 1 to {GREATEST[name]}."
        )
    return number


def _cost(value: Any, place: str) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError, OverflowError):
        number = 0.0
    if not 0 < number <= MOST_COST:  # also refuses what is not a number
        raise InvalidInputError(
            f"{place} of the cost table has cost {value!r}.",
            fix=f"Use a number above 0, at most {MOST_COST:g}.",
        )
    return number


def _grid(name: str, rows: Sequence[CostRow]) -> Grid:
    costs: dict[Place, float] = {}
    for row in rows:
        if row.bits in costs:
            raise InvalidInputError(f"the cost table has {_entry(name, row.bits)} twice.")
        costs[row.bits] = row.cost
    steps, spike, weight = (tuple(sorted(set(values))) for values in zip(*costs, strict=True))
    axes = (steps, spike, weight)
    if len(costs) != len(steps) * len(spike) * len(weight):
        gap = next((*bits,) for bits in product(*axes) if bits not in costs)
        raise InvalidInputError(
            f"the cost table has no {_entry(name, gap)}.",
            fix="Give every combination of the steps, spike_bits and weight_bits of a kind.",
        )
    return Grid(name=name, axes=axes, costs=tuple(costs[bits] for bits in product(*axes)))


def _check_rising(grid: Grid) -> None:
    """Raise InvalidInputError where more bits or steps cost less."""
    falls = list(grid.falls())
    if falls:
        shown = "; ".join(f"{_entry(grid.name, less)} costs more than {more}" for less, more in falls[:SHOWN])
        raise InvalidInputError(
            f"the cost table falls where bits or steps are added, {len(falls)} times: {shown}.",
            fix="A bit or a step more must cost as much or more.",
        )


def _rows_of(grid: Grid) -> Iterator[CostRow]:
    for (steps, spike_bits, weight_bits), cost in zip(product(*grid.axes), grid.costs, strict=True):
        yield CostRow(kind=grid.name, steps=steps, spike_bits=spike_bits, weight_bits=weight_bits, cost=cost)


def _entry(name: str, bits: Sequence[int]) -> str:
    return f"{name},{','.join(map(str, bits))}"
