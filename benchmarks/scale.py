"""How far one installation goes: python benchmarks/scale.py PART [--url postgresql://...]

claims   the time to claim with 1,000 and with 10,000 queued jobs, of one workspace and of 100
engine   200 trials of one second, 8 at a time, through store, Tune and workers
memory   the dispatcher's memory after each of several jobs
streams  500 readers of one job's events: how late each sees them
nodes    measures what the store takes per step of a trial, and plays 1,000 nodes and a million trials with it
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import structlog
from scale_engine import engine, memory
from scale_nodes import nodes
from sqlalchemy import text

from search.job import JobSpec
from service.app import create_app
from service.serve import bind, server_of
from service.settings import Settings
from service.store import Store

QUEUES = (1_000, 10_000)
CLAIMS = 80
WORKSPACES = (1, 100)
READERS = 500
EVENTS = 20


def main() -> None:
    """Run one part on a fresh SQLite file, or on an empty database that is given."""
    options = parse()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), database_url=options.url, port=0)
        store = Store.open(settings.database)
        store.migrate()
        print(f"{options.part}, {settings.database.split(':')[0]}")
        if options.part == "claims":
            claims(settings, store, options.second)
        else:
            PARTS[options.part](settings, store)
        store.close()


def claims(settings: Settings, store: Store, second: str | None) -> None:
    """Claims from a short and a long queue in turn, so that other work weighs on both alike."""
    other = Store.open(second or f"sqlite:///{settings.home / 'long.db'}")
    other.migrate()
    for count in WORKSPACES:
        names = [f"team-{count}-{number}" for number in range(count)]
        for one, queued in zip((store, other), QUEUES, strict=True):
            with one.unit() as unit:
                for name in names:
                    unit.workspaces.create(name)
            fill(one, names, queued)
        taken = [(seconds(lambda: claim(store)), seconds(lambda: claim(other))) for _ in range(CLAIMS)]
        short, long = (1e3 * statistics.median(column) for column in zip(*taken, strict=True))
        print(
            f"  {count} workspaces: {short:.1f} ms with 1,000 queued, {long:.1f} with 10,000,"
            f" {long / short:.2f} x"
        )
        for one in (store, other):  # leave nothing behind
            with one.connection() as connection:
                connection.execute(text("UPDATE jobs SET state = 'cancelled', lease_expires_at = NULL"))
    other.close()


def fill(store: Store, names: list[str], count: int) -> None:
    """Queue jobs of all workspaces in turn, with priorities, 100 in a transaction."""
    spec = small_job()
    for start in range(0, count, 100):
        with store.within(names[start // 100 % len(names)]).unit() as unit:
            for number in range(start, min(start + 100, count)):
                unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None, priority=number % 3)


def claim(store: Store) -> object:
    """Take the next job."""
    with store.unit() as unit:
        return unit.jobs.claim("benchmark", 600.0)


def streams(settings: Settings, store: Store) -> None:
    """Readers of one job's events in this process, against a server in a thread."""
    listener = bind(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    app = create_app(settings, store)
    server = server_of(settings, app, app.state.context.stopping)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    with store.unit() as unit:
        job_id = unit.jobs.submit(small_job(), trials_planned=1, plan={}, idempotency_key=None)[0].id
    late = asyncio.run(_read_all(settings.url, job_id, store))
    late.sort()
    median, worst = statistics.median(late), late[int(0.95 * len(late))]
    found = f"{1e3 * median:.0f} ms late (median), {1e3 * worst:.0f} ms (p95)"
    print(f"  {READERS} readers, {len(late)} events: {found}")
    app.state.context.stopping.set()
    server.should_exit = True
    thread.join()


async def _read_all(url: str, job_id: str, store: Store) -> list[float]:
    sent: dict[str, float] = {}
    late: list[float] = []
    async with httpx.AsyncClient(timeout=300, limits=httpx.Limits(max_connections=None)) as client:
        readers = [
            asyncio.create_task(_read(client, f"{url}/v1/jobs/{job_id}/events", sent, late))
            for _ in range(READERS)
        ]
        await asyncio.sleep(5)
        for number in range(EVENTS):
            await asyncio.to_thread(_tell, store, job_id, number, sent)
            await asyncio.sleep(0.5)
        await asyncio.sleep(5)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return late


def _tell(store: Store, job_id: str, number: int, sent: dict[str, float]) -> None:
    with store.unit() as unit:
        unit.jobs.set_priority(job_id, 0)  # holds the job's row
        unit.events.append(job_id, f"told-{number}", {}, unit.queue.now())
    sent[f"told-{number}"] = time.monotonic()


async def _read(client: httpx.AsyncClient, address: str, sent: dict[str, float], late: list[float]) -> None:
    async with client.stream("GET", address) as response:
        async for line in response.aiter_lines():
            kind = line.removeprefix("event: ")
            if kind.startswith("told-"):
                late.append(max(time.monotonic() - sent.get(kind, time.monotonic()), 0.0))


def small_job(**changes: Any) -> JobSpec:
    """A job that is never trained here."""
    fields = {
        "name": "load",
        "architecture": {"name": "conv-net"},
        "dataset": {"name": "digits"},
        "budget": {"max": (2, 4)},
    }
    return JobSpec.model_validate(fields | changes)


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


PARTS: dict[str, Callable[[Settings, Store], None]] = {
    "engine": engine,
    "memory": memory,
    "streams": streams,
    "nodes": nodes,
}


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", choices=["claims", *PARTS])
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--second", help="a second one, for the longer queue of `claims`")
    return parser.parse_args()


if __name__ == "__main__":
    main()
