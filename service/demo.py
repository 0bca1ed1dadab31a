"""`bitfront demo`: a real search from submission to front, then a page to look at."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from service.client import BitfrontClient
from service.commands.front import front_view
from service.commands.shared import every_job, out
from service.commands.spec_file import read_spec
from service.commands.watch import follow, require_success
from service.local_service import StartError, local_service
from service.settings import Settings, require_loopback
from service.views import JobView

SPEC = Path(__file__).parent / "demo.yaml"


def run_demo(settings: Settings, *, leave: bool, spec: Path = SPEC) -> None:
    """Search, show, and keep serving until Ctrl-C (or end at once with `leave`)."""
    require_loopback(settings)
    console = out()
    with local_service(settings, console) as (client, alive):
        job = _search(client, console, spec)
        console.print(Rule("what it found"), front_view(job, client.front(job.id)), sep="\n")
        console.print(f"\nThe page: [bold]{client.url}/jobs/{job.id}[/bold]", soft_wrap=True)
        require_success(job)
        if not leave:
            console.print("Ctrl-C ends the demo; what it found stays.")
            _until_interrupted(alive)


def _search(client: BitfrontClient, console: Console, path: Path) -> JobView:
    """The job at its end: a new one, or that of an earlier demo that was interrupted."""
    spec = read_spec(path)
    job = _interrupted(client, str(spec["name"]))
    if job is None:
        job = client.submit(spec)
    else:
        console.print("Going on with the search of an earlier demo.")
    console.print(f"Searching. The page: {client.url}/jobs/{job.id}", soft_wrap=True)
    return follow(client, job.id)


def _interrupted(client: BitfrontClient, name: str) -> JobView | None:
    waiting = [job for state in ("running", "queued") for job in every_job(client, state=state)]
    return next((job for job in waiting if job.name == name), None)


def _until_interrupted(alive: Callable[[], bool]) -> None:
    try:
        while alive():
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
    raise StartError("the service ended by itself.")
