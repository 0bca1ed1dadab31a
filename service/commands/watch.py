"""`bitfront watch`: the progress of a job until it has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.live import Live

from service.client import BitfrontClient
from service.commands.shared import EXIT_FAILED, client_of, err, find_job, out, print_json
from service.commands.tables import plain_line, progress_view
from service.views import ENDED_JOB_STATES, JobView

TICK_SECONDS = 1.0
PLAIN_SECONDS = 15.0
"""Seconds between lines when there is no terminal, unless the state changes."""


def watch(context: typer.Context, job: str, *, as_json: bool) -> None:
    """Show a job until it has ended, or print it then."""
    client = client_of(context)
    ended = follow(client, find_job(client, job).id, quiet=as_json)
    if as_json:
        print_json(ended)
    require_success(ended)


def follow(client: BitfrontClient, job_id: str, *, quiet: bool = False) -> JobView:
    """Show a job's progress until it has ended; the job as it ended."""
    console = out()
    if quiet:
        return _last(_states(client, job_id))
    return _live(client, job_id, console) if console.is_terminal else _lines(client, job_id, console)


def require_success(job: JobView) -> None:
    """Exit 1 when a job ended in any other way than it should."""
    if job.state != "succeeded":
        reason = f": {job.error}" if job.error else "."
        err().print(f"The job ended as {job.state}{reason}", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_FAILED)


def _states(client: BitfrontClient, job_id: str) -> Iterator[JobView]:
    """The job about once a second; the end is seen at once, as the service answers then."""
    job = client.job(job_id)
    while job.state not in ENDED_JOB_STATES:
        yield job
        job = client.job(job_id, wait=TICK_SECONDS)
    yield job


def _live(client: BitfrontClient, job_id: str, console: Console) -> JobView:
    states = _states(client, job_id)
    job = next(states)
    with Live(progress_view(job), console=console, auto_refresh=False) as live:
        for job in states:
            live.update(progress_view(job), refresh=True)
    return job


def _lines(client: BitfrontClient, job_id: str, console: Console) -> JobView:
    states = _states(client, job_id)
    shown, shown_at = next(states), time.monotonic()
    job = shown
    _print_line(console, job)
    for job in states:
        if job.state != shown.state or time.monotonic() - shown_at >= PLAIN_SECONDS:
            _print_line(console, job)
            shown, shown_at = job, time.monotonic()
    return job


def _print_line(console: Console, job: JobView) -> None:
    console.print(plain_line(job), markup=False, soft_wrap=True)


def _last(states: Iterator[JobView]) -> JobView:
    job = next(states)
    for job in states:  # noqa: B007 - the last one is the answer
        pass
    return job
