"""`bitfront fronts` and `table`: fronts of several jobs over one another, and whole tables as CSV."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from models.errors import InvalidInputError
from search.objective import likelihood_note, measure_name
from service.commands.shared import client_of, find_batch, find_job, out, print_json
from service.commands.tables import coloured, percent, titled
from service.front_views import OverlayView


class TableName(StrEnum):
    """What a job has many of."""

    TRIALS = "trials"
    POINTS = "points"
    ATTEMPTS = "attempts"
    STUDIES = "studies"


def fronts(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB]...", help="Jobs, each by the beginning of its id, or `latest`."),
    ] = None,
    batch: Annotated[str | None, typer.Option(help="All jobs of this batch.")] = None,
    metric: Annotated[str | None, typer.Option(help="The cost; that of the budgets unless told.")] = None,
    method: Annotated[str | None, typer.Option(help="Only points of this method.")] = None,
    all_points: Annotated[bool, typer.Option(help="Every point, not only those on the fronts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the points as CSV.")] = False,
) -> None:
    """Lay the fronts of several jobs over one another."""
    if as_json and as_csv:
        raise InvalidInputError("--json and --csv exclude each other.", fix="Give one of them.")
    client = client_of(context)
    job_ids = [find_job(client, job).id for job in jobs or ()]
    batch_id = None if batch is None else find_batch(client, batch).id
    if as_csv:
        text = client.fronts_csv(job_ids, batch=batch_id, metric=metric, method=method, all_points=all_points)
        typer.echo(text, nl=False)
        return
    view = client.fronts(job_ids, batch=batch_id, metric=metric, method=method, all_points=all_points)
    if as_json:
        print_json(view)
    else:
        out().print(overlay_view(view))


def table(
    context: typer.Context,
    name: Annotated[TableName, typer.Argument(metavar="TABLE", help="trials, points, attempts or studies.")],
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job, the beginning of its id, or `latest`.")],
) -> None:
    """Print every row of a table of a job as CSV."""
    client = client_of(context)
    typer.echo(client.table_csv(find_job(client, job).id, name.value), nl=False)


def overlay_view(view: OverlayView) -> RenderableType:
    """A row per job, and the front over all."""
    shares = {job.job_id: 0 for job in view.jobs}
    for point in view.front:
        shares[point.job_id] += 1
    jobs = Table()
    jobs.add_column("job", no_wrap=True)  # to be copied whole, also in 80 columns
    jobs.add_column("name")
    jobs.add_column("state")
    for column in ("hypervolume", "points", "on the front of all"):
        jobs.add_column(column, justify="right")
    for job in sorted(view.jobs, key=lambda job: -job.hypervolume):
        numbers = (f"{job.hypervolume:.4f}", str(len(job.points)), str(shares[job.job_id]))
        jobs.add_row(job.job_id, escape(job.name), coloured(job.state), *numbers)
    title = f"fronts by {view.metric} ({view.scope} layers), hypervolume up to {view.reference_cost:,.6g}"
    parts: list[RenderableType] = [titled(title, jobs), _front(view)]
    if not view.same_data:
        parts.append(Text("The jobs have different data: their scores do not compare.", style="yellow"))
    return Group(*parts)


def _front(view: OverlayView) -> RenderableType:
    names = {job.job_id: job.name for job in view.jobs}
    points = Table()
    for column in (view.metric, "validation %", "test %"):
        points.add_column(column, justify="right")
    for column in ("job", "method", "seed", "point"):
        points.add_column(column, no_wrap=column == "point")
    for point in view.front:
        scores = (percent(point.score), percent(point.test_score))
        place = (escape(names[point.job_id]), point.method, str(point.seed), point.id)
        points.add_row(f"{point.cost:,.5g}", *scores, *place)
    said = f"the front over all by {measure_name(view.objective)}, hypervolume {view.hypervolume:.4f}"
    return titled(said + likelihood_note(view.objective).replace(" L", "; l", 1).rstrip("."), points)
