"""`bitfront events`: what happens to jobs, a line each, as it happens."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from service.commands.shared import client_of, find_job, out
from service.views import EventKind, EventView

Jobs = Annotated[
    list[str] | None, typer.Argument(help="Jobs, the beginnings of their ids, or `latest`; all without any.")
]
OfBatch = Annotated[str | None, typer.Option("--batch", help="The jobs of this batch.")]
WithLabel = Annotated[list[str] | None, typer.Option("--label", help="Jobs with key:value, or with key.")]
OfKind = Annotated[EventKind | None, typer.Option("--kind", help="Of this kind alone.")]
After = Annotated[int | None, typer.Option("--after", min=0, help="Begin after this event, not with now.")]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0, help="End after so long.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")]


def events(  # noqa: PLR0917 - a parameter for each argument and option, as Typer has it
    context: typer.Context,
    job: Jobs = None,
    batch: OfBatch = None,
    label: WithLabel = None,
    kind: OfKind = None,
    after: After = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
) -> None:
    """Tell what happens to jobs, as it happens."""
    client = client_of(context)
    told = client.all_events(
        jobs=[find_job(client, one).id for one in job or []],
        batch=batch,
        labels=label or [],
        kinds=[kind] if kind else [],
        after=after,
        seconds=math.inf if seconds is None else seconds,
    )
    for event in told:
        line = event.model_dump_json() if as_json else _line(event)
        out().print(line, markup=False, highlight=False, soft_wrap=True)


def _line(event: EventView) -> str:
    plain = {name: value for name, value in event.data.items() if isinstance(value, str | int | float)}
    said = " ".join(f"{name}={value}" for name, value in plain.items())
    return f"{event.created_at:%H:%M:%S} {event.id} {event.job_id} {event.kind} {said}".rstrip()
