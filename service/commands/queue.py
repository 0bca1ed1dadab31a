"""`bitfront queue` and `bitfront priority`: who waits for what, and moving a job forward or back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from service.commands.shared import client_of, find_job, out, print_json
from service.queue.views import QueueView
from service.web.formats import duration

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def queue(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the jobs that wait, with their reasons, those that run, and the dispatchers."""
    found = client_of(context).queue()
    if as_json:
        print_json(found)
    else:
        out().print(queue_table(found))
        out().print(_dispatchers(found), soft_wrap=True, markup=False)


def priority(
    context: typer.Context,
    job: Annotated[str, typer.Argument(help="A job, the beginning of its id, or `latest`.")],
    value: Annotated[int, typer.Argument(metavar="PRIORITY", min=-9, max=9, help="Greater is earlier.")],
    as_json: AsJson = False,
) -> None:
    """Move a job forward or back in the queue of its workspace; a negative number stands behind `--`."""
    client = client_of(context)
    moved = client.set_priority(find_job(client, job).id, value)
    if as_json:
        print_json(moved)
    else:
        out().print(f"{moved.id} has priority {moved.priority}.", soft_wrap=True)


def queue_table(found: QueueView) -> Table:
    """Running jobs first, then those that wait, in the order of their claims."""
    table = Table("Place", "Job", "Priority", "Since", "What it is at")
    for job in found.running:
        since = duration((found.read_at - job.started_at).total_seconds())
        at = f"{job.state}, {job.trials_running} trials at work, on {job.dispatcher or 'no dispatcher'}"
        table.add_row("–", f"{job.name} {job.id}", str(job.priority), since, at)
    for one in found.queued:
        since = duration((found.read_at - one.created_at).total_seconds())
        table.add_row(str(one.place), f"{one.name} {one.id}", str(one.priority), since, one.why)
    return table


def _dispatchers(found: QueueView) -> str:
    alive = [one for one in found.dispatchers if one.alive]
    silent = len(found.dispatchers) - len(alive)
    said = f"Dispatchers: {len(alive)}, of which {sum(one.busy for one in alive)} have a job"
    return f"{said}; {silent} not heard from." if silent else f"{said}."
