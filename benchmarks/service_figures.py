"""What people wait for, over made-up results: python benchmarks/service.py [--url postgresql://...]

For each of --points, a store with one job of so many points (ten a trial, five methods, three seeds): the
front query and the thinned cloud in the server, and the page of fronts in headless Chromium until its chart
is drawn.
Then the list of 10,000 jobs over REST, and submissions per second. On SQLite, or a given empty database.
Beside the wall time stands the processor time of the service, which other work on the machine moves less.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import insert

from models.cost import COST_VERSIONS
from search.job import JobSpec
from search.pareto import is_on_front
from service.app import create_app
from service.serve import settle
from service.settings import Settings
from service.store import Store, ids
from service.store.clouds import Choice
from service.store.jobs import NewJob
from service.store.points import POINTS_PER_TRIAL, TRIALS_PER_STUDY
from service.store.tables import FrontExtent, FrontMember, Point, PointSummary, Trial
from service.store.tables.clouds import COST_COLUMNS
from service.web.fronts_page import MOST_DRAWN

METHODS = ("gradient", "optuna-tpe", "optuna-nsga2", "random", "uniform")
PER_TRIAL, LOT, ROUNDS, JOBS, SUBMISSIONS = 10, 2_000, 60, 10_000, 200
LAYERS = 20
METRICS = tuple(metric for metric in COST_COLUMNS if metric != "table")


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), database_url=options.url, data_folder=None, port=free_port())
        store = Store.open(settings.database)
        store.migrate()
        print(f"database: {'postgresql' if options.url else 'sqlite, synchronous=FULL'}")
        for count in options.points:
            job_id = filled(store, count)
            queries(store, job_id, count)
            with serving(settings, store):
                pages(settings.url, job_id, count)
        listing(settings, store)
        submissions(store)
        store.close()


def queries(store: Store, job_id: str, count: int) -> None:
    """The front by the job's own and by another metric, and the cloud that the page draws."""

    def front(metric: str) -> None:
        with store.unit() as unit:
            unit.fronts.front(
                job_id, metric=metric, method=None, seed=None, all_points=False
            ).model_dump_json()

    def cloud() -> None:
        with store.unit() as unit:
            unit.clouds.view(
                unit.jobs.all_of([job_id]), Choice(metric="bit_budget"), most=MOST_DRAWN
            ).model_dump_json()

    for metric in ("bit_budget", "s_ace"):
        told(f"{count:,} points, front by {metric}", timed(lambda name=metric: front(name), ROUNDS))
    told(f"{count:,} points, thinned cloud", timed(cloud, 10))


def pages(url: str, job_id: str, count: int) -> None:
    """The page in Chromium, from asking for it to a drawn chart that answers."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=root)

        drawn = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        taken = []
        for _ in range(8):
            page = browser.new_page()
            began, busy = time.perf_counter(), time.process_time()
            page.goto(f"{url}/fronts?job={job_id}")
            page.wait_for_selector("body[data-ready]")
            page.evaluate(drawn)
            taken.append((1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - busy)))
            page.wait_for_selector("#growth [data-figure]")  # else the next one would pay for it
            page.close()
        told(f"{count:,} points, page interactive", taken[1:])
        browser.close()


def listing(settings: Settings, store: Store) -> None:
    """A page of the list of many jobs."""
    for start in range(0, JOBS, 500):
        with store.unit() as unit:
            unit.jobs.submit_all([new_job(f"job-{start + number}") for number in range(500)])
    client = TestClient(create_app(settings, store), base_url=settings.url)
    client.get("/v1/jobs")
    told(
        f"list of {JOBS:,} jobs, 50 a page", timed(lambda: client.get("/v1/jobs").raise_for_status(), ROUNDS)
    )


def submissions(store: Store) -> None:
    """One durable transaction for each job."""
    began = time.perf_counter()
    for number in range(SUBMISSIONS):
        new = new_job(f"one-{number}")
        with store.unit() as unit:
            unit.jobs.submit(new.spec, trials_planned=1, plan={}, idempotency_key=None)
    print(f"submit: {SUBMISSIONS / (time.perf_counter() - began):.0f} jobs per second")


def new_job(name: str) -> NewJob:
    """A job with every method."""
    spec = JobSpec(
        name=name,
        architecture={"name": "conv-net"},
        dataset={"name": "digits"},
        budget={"max": (4, 16)},
        methods=METHODS,
    )
    return NewJob(spec=spec, trials_planned=1, plan={})


def filled(store: Store, count: int) -> str:
    """A job with so many made-up points, stored many at a time; its id."""
    new = new_job(f"points-{count}")
    with store.unit() as unit:
        unit.jobs.submit(new.spec, trials_planned=count // PER_TRIAL, plan={}, idempotency_key=None)
        claim = unit.jobs.claim("benchmark", 86_400)
        if claim is None:
            raise RuntimeError("the job is gone")
        unit.studies.prepare(claim)
        studies = unit.jobs.get(claim.job_id).studies
    random, columns = np.random.default_rng(0), {}
    each = count // len(studies) // PER_TRIAL * PER_TRIAL
    columns["study"] = np.repeat(np.arange(len(studies)), each)
    cost = random.uniform(1, 16, len(columns["study"]))
    gain = 0.02 * (columns["study"] % len(METHODS))
    columns["score"] = np.clip(0.75 + gain - 0.3 / cost + random.normal(0, 0.03, len(cost)), 0, 1)
    columns |= {m: cost * 10.0**i * random.uniform(0.9, 1.1, len(cost)) for i, m in enumerate(METRICS)}
    columns["bit_budget"] = cost
    with store.connection() as connection:
        for lot in lots(len(cost)):
            trials, points, summaries = rows(claim.job_id, studies, each, columns, lot)
            for table, made in ((Trial, trials), (Point, points), (PointSummary, summaries)):
                connection.execute(insert(table), made)
        connection.execute(insert(FrontMember), list(members(claim.job_id, studies, each, columns)))
        extents = [
            {"job_id": claim.job_id, "metric": m, "points": len(cost), "greatest": float(columns[m].max())}
            for m in METRICS
        ]
        connection.execute(insert(FrontExtent), extents)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")
    return claim.job_id


def lots(count: int) -> Iterator[range]:
    """Ranges of points."""
    for start in range(0, count, LOT):
        yield range(start, min(start + LOT, count))


def place_of(each: int, at: int) -> tuple[int, int, int, int]:
    """The study, trial, ordinal and place of a point."""
    study, within = divmod(at, each)
    number, ordinal = divmod(within, PER_TRIAL)
    return study, number, ordinal, (study * TRIALS_PER_STUDY + number) * POINTS_PER_TRIAL + ordinal


def rows(
    job_id: str, studies: Any, each: int, columns: Any, lot: range
) -> tuple[list[Any], list[Any], list[Any]]:
    """Rows of some points, and of the trials that begin among them."""
    trials, points, summaries = [], [], []
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for at in lot:
        number, trial, ordinal, place = place_of(each, at)
        study = studies[number]
        trial_id = ids.trial_id(study.id, trial)
        moment = start + timedelta(seconds=at)
        whose = {"job_id": job_id, "method": study.method, "seed": study.seed}
        scores = {"score": float(columns["score"][at]), "test_score": float(columns["score"][at]) - 0.01}
        costs = {metric: float(columns[metric][at]) for metric in METRICS}
        if ordinal == 0:
            trials.append(
                whose | {"id": trial_id, "study_id": study.id, "round": 0, "number": trial,
                         "state": "succeeded", "proposal": {}, "fingerprint": trial_id,
                         "epochs_done": 8, "samples": 8_000, "seconds": 9.0, "created_at": moment}
            )  # fmt: skip
        point_id = ids.point_id(trial_id, ordinal)
        bits = {f"layer{n}": {"steps": 1, "spike_bits": [2], "weight_bits": 3} for n in range(LAYERS)}
        points.append(
            whose | scores | {"id": point_id, "study_id": study.id, "trial_id": trial_id, "ordinal": ordinal,
                     "place": place, "allocation": bits, "costs": {"searched": costs, "all": costs},
                     "cost_versions": dict(COST_VERSIONS), "rates": {name: [0.2] for name in bits},
                     "budget_cost": costs["bit_budget"], "validation_accuracy": scores["score"],
                     "test_accuracy": scores["test_score"], "feasible": True, "checkpoint_trial": trial_id,
                     "checkpoint": "point-0.safetensors", "checkpoint_sha256": "0" * 64, "provenance": {},
                     "created_at": moment}
        )  # fmt: skip
        shown = {COST_COLUMNS[metric]: cost for metric, cost in costs.items()}
        means = {"mean_weight_bits": 3.0, "mean_spike_bits": 2.0, "mean_steps": 1.0}
        told_of = {"point_id": point_id, "trial_id": trial_id, "place": place, "feasible": True}
        summaries.append(whose | scores | shown | means | told_of | {"created_at": moment})
    return trials, points, summaries


def members(job_id: str, studies: Any, each: int, columns: Any) -> Iterator[dict[str, Any]]:
    """The fronts by every metric, overall and of each method."""
    methods = np.array([studies[number].method for number in columns["study"]])
    for metric in METRICS:
        for method in ("", *METHODS):
            own = np.flatnonzero((methods == method) | (method == ""))
            for at in own[is_on_front(columns[metric][own], columns["score"][own])].tolist():
                number, trial, ordinal, place = place_of(each, at)
                point_id = ids.point_id(ids.trial_id(studies[number].id, trial), ordinal)
                numbers = {"cost": float(columns[metric][at]), "score": float(columns["score"][at])}
                yield numbers | {"job_id": job_id, "metric": metric, "method": method, "point_id": point_id,
                                 "place": place}  # fmt: skip


@contextmanager
def serving(settings: Settings, store: Store) -> Iterator[None]:
    """The service on its port, in a thread."""
    app = create_app(settings, store)
    server = uvicorn.Server(uvicorn.Config(app, port=settings.port, log_level="error"))
    settle()  # as `bitfront serve` does
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join()


def timed(work: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    """Milliseconds on the wall and of this process's processors in each round, after one that warms up."""
    work()
    taken = []
    for _ in range(rounds):
        began, busy = time.perf_counter(), time.process_time()
        work()
        taken.append((1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - busy)))
    return taken


def told(what: str, taken: list[tuple[float, float]]) -> None:
    """A row of the table."""
    wall, busy = (sorted(kind) for kind in zip(*taken, strict=True))
    p95, medians = wall[max(0, round(0.95 * len(wall)) - 1)], map(statistics.median, (wall, busy))
    median, processor = medians
    print(
        f"{what:<36} median {median:>7.1f} ms   p95 {p95:>7.1f} ms   processor {processor:>6.1f} ms",
        flush=True,
    )


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
