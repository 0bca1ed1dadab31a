"""`bitfront jobs`, `cancel`, `methods`, `architectures` and `datasets`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer

from models.errors import InvalidInputError
from service.batches.views import BatchView
from service.commands.shared import client_of, every_job, find_batch, find_job, out, print_json
from service.views import JobView, NamedView, Page

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def jobs(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Only jobs with this label, key:value, or key for any value; may be repeated."),
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Only jobs of this batch.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all of them as CSV.")] = False,
) -> None:
    """List jobs, newest first."""
    from service.commands.tables import jobs_table

    if as_json and as_csv:
        raise InvalidInputError("--json and --csv exclude each other.", fix="Give one of them.")

    client = client_of(context)
    of_batch = None if batch is None else find_batch(client, batch).id
    if as_csv:
        typer.echo(client.jobs_csv(state=state, batch=of_batch, labels=label or ()), nl=False)
        return
    found = list(islice(every_job(client, state=state, batch=of_batch, labels=label or ()), limit))
    if as_json:
        print_json(Page(items=found))
    elif found:
        out().print(jobs_table(found))
    else:
        out().print(_no_jobs(state, chosen=bool(label or batch)), markup=False)


def _no_jobs(state: str | None, *, chosen: bool) -> str:
    if chosen or state:
        return f"No jobs that are {state}." if state and not chosen else "No such jobs."
    return "No jobs yet: submit one with `bitfront submit FILE`."


def cancel(
    context: typer.Context,
    job: Annotated[
        str, typer.Argument(help="A job, the beginning of its id, or `latest`; a batch by its id.")
    ],
    as_json: AsJson = False,
) -> None:
    """Ask a job, or every job of a batch, to end; what they found stays."""
    client = client_of(context)
    view: JobView | BatchView
    if job.startswith("batch-"):
        view = client.cancel_batch(find_batch(client, job).id)
    else:
        view = client.cancel(find_job(client, job).id)
    if as_json:
        print_json(view)
    else:
        out().print(f"{view.id} is {view.state}.")


def methods(context: typer.Context, as_json: AsJson = False) -> None:
    """List the methods that a job may name."""
    _show(client_of(context).methods(), as_json)


def architectures(context: typer.Context, as_json: AsJson = False) -> None:
    """List the networks that a job may name."""
    _show(client_of(context).architectures(), as_json)


def datasets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the data sets that a job may name, and whether their files are there."""
    _show(client_of(context).datasets(), as_json)


def _show(named: Sequence[NamedView], as_json: bool) -> None:
    from service.commands.tables import named_table

    if as_json:
        print_json(Page(items=list(named)))
    else:
        out().print(named_table(named))
