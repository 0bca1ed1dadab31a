"""The store under load, in one run: python benchmarks/store.py [--url postgresql://...]

Prints submissions per second (each a durable commit) and the time to claim a job with 1,000 and with 10,000
queued, on a fresh SQLite file or a given empty database.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from search.job import JobSpec
from service.store import Store

SUBMISSIONS = 300
QUEUES = (1_000, 10_000)


def main() -> None:
    """Print every figure."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(options.url or f"sqlite:///{Path(folder) / 'bitfront.db'}")
        store.migrate()
        print(f"database: {options.url.split(':')[0] if options.url else 'sqlite, synchronous=FULL'}")
        print(f"submit: {SUBMISSIONS / seconds(lambda: submit(store, SUBMISSIONS)):.0f} jobs per second")
        claims(store)
        store.close()


def claims(store: Store) -> None:
    """Claim with a shorter and a longer queue."""
    queued, medians = SUBMISSIONS, []
    for wanted in QUEUES:
        submit(store, wanted - queued)
        queued = wanted - 50
        medians.append(statistics.median(seconds(lambda: claim(store)) for _ in range(50)))
        print(f"claim with {wanted:,} queued: {medians[-1] * 1e3:.2f} ms (median)")
    print(f"ratio: {medians[1] / medians[0]:.2f}")


def submit(store: Store, count: int) -> None:
    """One transaction for each job."""
    spec = JobSpec(
        name="load", architecture={"name": "conv-net"}, dataset={"name": "digits"}, budget={"max": (2, 4)}
    )
    for _ in range(count):
        with store.unit() as unit:
            unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None)


def claim(store: Store) -> None:
    """Take the oldest queued job."""
    with store.unit() as unit:
        if unit.jobs.claim("benchmark", 600.0) is None:
            raise RuntimeError("the queue is empty")


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="an empty PostgreSQL database")
    return parser.parse_args()


if __name__ == "__main__":
    main()
