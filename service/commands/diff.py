"""`bitfront diff`: two points beside each other."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from service.commands.shared import client_of, out, print_json
from service.differences.views import LayerDifference, NumberDifference, PointDifferenceView
from service.web.formats import cost, percent

AsJson = Annotated[bool, typer.Option("--json", help="Print the difference as JSON.")]


def diff(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="POINT", help="The id of a point.")],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="The id of another point.")],
    as_json: AsJson = False,
) -> None:
    """Put two points beside each other: the bits of each layer, what they reach and cost."""
    found = client_of(context).difference(first, second)
    if as_json:
        print_json(found)
        return
    out().print(_layers(found))
    out().print(_numbers(found))


def _layers(found: PointDifferenceView) -> Table:
    table = Table("Layer", "T", "Bs (mean)", "Bw", title=f"{found.a.id} → {found.b.id}")
    for one in found.layers:
        table.add_row(one.layer, *_cells(one))
    return table


def _cells(one: LayerDifference) -> list[str]:
    """`before → after` where a layer changes, one number where it does not."""
    a, b = one.a, one.b
    if a is None or b is None:
        return [f"in the {'first' if b is None else 'second'} alone", "–", "–"]
    means = [sum(bits.spike_bits) / bits.steps for bits in (a, b)]
    pairs = [(a.steps, b.steps), (means[0], means[1]), (a.weight_bits, b.weight_bits)]
    return [cost(before) if before == after else f"{cost(before)} → {cost(after)}" for before, after in pairs]


def _numbers(found: PointDifferenceView) -> Table:
    table = Table("", "First", "Second", "Difference")
    for one in (*found.measures, *found.costs):
        table.add_row(one.name, _shown(one, one.a), _shown(one, one.b), _shown(one, one.difference, sign="+"))
    return table


def _shown(one: NumberDifference, value: float | None, sign: str = "") -> str:
    if value is None:
        return "–"
    words = percent(abs(value), 2) if "accuracy" in one.name else cost(abs(value))
    return f"{sign if value > 0 else '−' if value < 0 else ''}{words}"
