"""`bitfront diff`: what changes from one point to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from service.commands.shared import client_of, out, print_json
from service.commands.tables import titled

if TYPE_CHECKING:
    from service.difference.views import LayerDifferenceView, LayerSideView, ValueDifferenceView


def diff(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="The id of a point.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The id of another.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the difference as JSON.")] = False,
) -> None:
    """Show what changes from point A to point B: bits of each layer, measures and costs."""
    found = client_of(context).difference(first, second)
    if as_json:
        print_json(found)
        return
    console = out()
    console.print(titled(f"Bits of each layer, {first} to {second}", _layers(found.layers)))
    console.print(titled("Measures", _values(found.measures)))
    console.print(titled("Costs", _values(found.costs)))


def _layers(layers: Sequence[LayerDifferenceView]) -> Table:
    table = Table("layer", "T", "Bs", "Bw", "changed")
    for layer in layers:
        one, other = _cells(layer.first), _cells(layer.second)
        said = "only in A" if layer.second is None else "only in B" if layer.first is None else ""
        changed = said or ", ".join(layer.changed).replace("_", " ") or "nothing"
        pairs = (a if a == b else f"{a} > {b}" for a, b in zip(one, other, strict=True))
        table.add_row(layer.name, *pairs, changed)
    return table


def _cells(side: LayerSideView | None) -> tuple[str, str, str]:
    """T, Bs (per step where steps differ) and Bw."""
    if side is None:
        return "–", "–", "–"
    spikes = side.spike_bits if len(set(side.spike_bits)) > 1 else side.spike_bits[:1]
    return str(side.steps), ",".join(map(str, spikes)), f"{side.weight_bits:.3g}"


def _values(values: Sequence[ValueDifferenceView]) -> Table:
    table = Table("", "layers")
    for column in ("A", "B", "B less A"):
        table.add_column(column, justify="right")
    for value in values:
        cells = (_number(value.first), _number(value.second), _number(value.difference, "+"))
        table.add_row(value.name.replace("_", " "), value.scope or "", *cells)
    return table


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign},.6g}"
