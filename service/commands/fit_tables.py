"""What `bitfront fit` prints."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from search.objective import measure_name
from service.commands.tables import percent, titled
from service.fit.views import FitCostView, FitLimitView, FitPointView, FitView

REACH = {True: "yes", False: "[red]no[/red]", None: "not known before training"}


def fit_view(found: FitView) -> RenderableType:
    """The point that fits, or the nearest one and what to search next."""
    shown = found.best or found.nearest
    if shown is None:
        parts: list[RenderableType] = [Text(f"The job ({found.state}) has no points yet.")]
    else:
        parts = [titled(_title(found, shown), _costs(shown.costs)), Text(_also(shown))]
    if found.left_out:
        parts.append(Text(f"{found.left_out} points are left out: their costs are not stored."))
    if not found.fits and any(limit.least is not None for limit in found.limits):
        parts.append(titled("What the network can reach within the job's bits", _reach(found.limits)))
    if found.next is not None:
        parts.append(Text.from_markup(f"[bold]Next:[/bold] {escape(found.next.advice)}"))
        parts += [Text(f"  {found.next.command}")] if found.next.command else []
    return Group(*parts)


def _title(found: FitView, point: FitPointView) -> str:
    measure = measure_name(found.objective)
    said = f"validation {measure} {percent(point.score)} % (test {percent(point.test_score)} %)"
    whose = f"{point.method} seed {point.seed}"
    if found.fits:
        return f"{point.id} keeps every limit: {said}, {whose}"
    return f"No point of {found.compared} keeps every limit. The nearest is {point.id}: {said}, {whose}"


def _costs(costs: list[FitCostView]) -> Table:
    table = Table("limit", "layers")
    for column in ("at most", "cost", "of the limit", "over by"):
        table.add_column(column, justify="right")
    for one in costs:
        over = f"[red]{one.over:,.6g}[/red]" if one.over else "kept"
        cells = (f"{one.maximum:,.6g}", f"{one.cost:,.6g}", f"{100 * one.cost / one.maximum:.1f} %", over)
        table.add_row(one.metric, one.scope, *cells)
    return table


def _reach(limits: list[FitLimitView]) -> Table:
    table = Table("limit", "layers")
    for column in ("at most", "least cost", "achievable"):
        table.add_column(column, justify="right")
    for one in limits:
        least = "–" if one.least is None else f"{one.least:,.6g}"
        table.add_row(one.metric, one.scope, f"{one.maximum:,.6g}", least, REACH[one.achievable])
    return table


def _also(point: FitPointView) -> str:
    kept = "" if point.feasible else " It is over a limit of its own job."
    return (
        f"Bits of each layer: the page of {point.id}; its files: bitfront export {point.id} --to DIR.{kept}"
    )
