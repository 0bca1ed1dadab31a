"""`bitfront front` and `bitfront best`: what a search found."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.allocation import LayerBits
from models.errors import InvalidInputError
from search.objective import likelihood_note, measure_name
from service.commands.shared import client_of, find_job, out, print_json
from service.commands.tables import percent, titled
from service.front_views import FrontView
from service.verdict import Standing, standings, verdict
from service.views import JobView, PointView, objective_of

JobName = Annotated[str, typer.Argument(metavar="JOB", help="A job, the beginning of its id, or `latest`.")]
MetricName = Annotated[str | None, typer.Option(help="The cost to compare by; the budget's unless told.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def front(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    job: JobName,
    metric: MetricName = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the points as CSV.")] = False,
    all_points: Annotated[bool, typer.Option(help="Every point, not only those on the front.")] = False,
) -> None:
    """Show the front of a job: each method under each budget, who beats whom, and the points."""
    if as_json and as_csv:
        raise InvalidInputError("--json and --csv exclude each other.", fix="Give one of them.")
    client = client_of(context)
    found = find_job(client, job)
    if as_csv:
        typer.echo(client.front_csv(found.id, metric=metric, all_points=all_points), nl=False)
        return
    view = client.front(found.id, metric=metric, all_points=all_points)
    if as_json:
        print_json(view)
    else:
        out().print(front_view(found, view))


def best(
    context: typer.Context,
    job: JobName,
    maximum: Annotated[float, typer.Option("--max", help="The greatest cost that is acceptable.")],
    metric: MetricName = None,
    as_json: AsJson = False,
) -> None:
    """Show the best feasible point under a budget, layer by layer."""
    client = client_of(context)
    found = find_job(client, job)
    name = metric or str(found.spec["budget"]["metric"])
    point = client.best(found.id, maximum, metric=name)
    if as_json:
        print_json(point)
    else:
        out().print(point_view(point))


def front_view(job: JobView, view: FrontView) -> RenderableType:
    """Everything a person wants to know of a front, best first."""
    parts: list[RenderableType] = []
    if view.metric == job.spec["budget"]["metric"]:
        parts = [_budget_part(job, entry.budget) for entry in job.best]
    return Group(*parts, _hypervolumes(view), _points(view))


def point_view(point: PointView) -> RenderableType:
    """A point with its bits per layer."""
    bits = Table("layer", "steps", "spike bits", "weight bits")
    for name, layer in point.allocation.items():
        spike_bits = " ".join(str(width) for width in layer["spike_bits"])
        bits.add_row(name, str(layer["steps"]), spike_bits, LayerBits.from_json(layer).weight_text)
    scopes = list(point.costs)
    costs = Table("cost", *(f"{scope} layers" for scope in scopes))
    for metric in dict.fromkeys(metric for found in point.costs.values() for metric in found):
        costs.add_row(metric, *(_cost_cell(point.costs[scope].get(metric)) for scope in scopes))
    measure = "" if point.objective == "accuracy" else f" {measure_name(point.objective)}"
    score = f"{percent(point.score)} %{measure} (test {percent(point.test_score)} %)"
    return titled(f"{point.id}: {score}, {point.method} seed {point.seed}", Group(bits, costs))


def _cost_cell(cost: float | None) -> str:
    """A cost; a dash where a table has no entry for the layers of the scope."""
    return "–" if cost is None else f"{cost:,.6g}"


def _budget_part(job: JobView, budget: float) -> RenderableType:
    """The table of one budget, and the verdict."""
    ranked = standings(job, budget)
    table = Table("method")
    for column in ("validation (test)", "least", "greatest", "seeds"):
        table.add_column(column, justify="right")
    for place, standing in enumerate(ranked):
        table.add_row(*_standing_row(standing, wins=place == 0 and bool(standing.validation)))
    measure = measure_name(objective_of(job))
    title = f"{job.spec['budget']['metric']} of at most {budget:g}: mean {measure} over the seeds, %"
    return Group(titled(title, table), Text(verdict(ranked)), Text())


def _standing_row(standing: Standing, *, wins: bool) -> list[str]:
    name = f"[bold green]{standing.method} ★[/bold green]" if wins else standing.method
    seeds = f"{len(standing.validation)}/{standing.seeds}"
    if not standing.validation:
        return [name, "-", "-", "-", seeds]
    middle = f"{percent(standing.middle)} ({percent(standing.middle_test)})"
    return [name, middle, percent(min(standing.validation)), percent(max(standing.validation)), seeds]


def _hypervolumes(view: FrontView) -> RenderableType:
    table = Table("method")
    table.add_column("hypervolume", justify="right")
    for method, volume in sorted(view.hypervolumes.items(), key=lambda entry: -entry[1]):
        table.add_row(method, f"{volume:.4f}")
    table.add_section()
    table.add_row("all together", f"{view.hypervolume:.4f}")
    return titled(f"hypervolume by {view.metric} ({view.scope} layers), 0 to 1", table)


def _points(view: FrontView) -> RenderableType:
    table = Table()
    for column in (view.metric, "validation %", "test %"):
        table.add_column(column, justify="right")
    for column in ("method", "seed", "point"):
        table.add_column(column, no_wrap=True)
    for point in sorted(view.points, key=lambda point: point.cost):
        mark = " *" if point.on_front else ""
        scores = (percent(point.score), percent(point.test_score))
        table.add_row(f"{point.cost:,.5g}", *scores, point.method, str(point.seed), point.id + mark)
    said = f"points by {measure_name(view.objective)}, cheapest first; * is on the front"
    return titled(said + likelihood_note(view.objective).replace(" L", "; l", 1).rstrip("."), table)
