"""What the page of fronts shows: any jobs over one another, from one read of the store."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from models.errors import InvalidInputError
from search.comparison import Accuracy
from search.objective import likelihood_note, measure_name
from service.clouds.hypervolume import Over, hypervolume_over
from service.clouds.selection import chosen_jobs, known_methods, known_seeds, own_metrics, shared_metrics
from service.clouds.views import CloudPoint, CloudView, Region
from service.labels import label_of
from service.store import Store, Unit
from service.store.clouds import Choice
from service.views import ENDED_JOB_STATES, JobView, objective_of
from service.web.cloud_columns import cloud_columns
from service.web.figures_page import figures_part
from service.web.formats import metric_note
from service.web.live import MOST_FOLLOWED, Follow
from service.web.marks import marks, marks_json

RECENT_JOBS = 30
MOST_DRAWN, MOST_ROWS = 1_500, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedView:
    """What the address asks for; a choice that the page does not offer has fallen back already.

    `metric`, `methods` and `seeds` are checked against the jobs once those are known.
    """

    jobs: tuple[str, ...]
    batch: str | None
    label: str
    metric: str | None
    methods: tuple[str, ...]
    seeds: tuple[str, ...]
    region: Region
    budget: float | None
    log_x: bool
    hide_dominated: bool
    over: Over


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What one transaction read of the chosen points: the whole cloud, and the rows of the table."""

    cloud: CloudView
    rows: CloudView


@dataclass(frozen=True, kw_only=True, slots=True)
class BestRow:
    """The best feasible point of a job and method under the budget, if any."""

    job: JobView
    method: str
    point: CloudPoint | None


def asked_view(query: QueryParams) -> AskedView:
    """Reads an address."""
    named = [name for text in query.getlist("job") for name in re.split(r"[\s,]+", text) if name]
    ends = {name: _number(query.get(name)) for name in ("cost_min", "cost_max", "score_min", "score_max")}
    given = {name: end for name, end in ends.items() if end is not None}
    accuracy: Accuracy = "test" if query.get("accuracy") == "test" else "validation"
    return AskedView(
        jobs=tuple(dict.fromkeys(named)),
        batch=query.get("batch") or None,
        label=query.get("label") or "",
        metric=query.get("metric"),
        methods=tuple(query.getlist("method")),
        seeds=tuple(query.getlist("seed")),
        region=Region(**given, accuracy=accuracy),
        budget=_number(query.get("budget")),
        log_x=query.get("x") != "linear",
        hide_dominated=query.get("dominated") == "hidden",
        over="time" if query.get("over") == "time" else "compute",
    )


def fronts_context(store: Store, asked: AskedView) -> dict[str, Any]:
    """The context of `fronts.html`. Raises NotFoundError for a job that is not there."""
    with store.unit() as unit:
        recent = unit.jobs.page(limit=RECENT_JOBS, cursor=None, state=None).items
        jobs = _jobs(unit, asked, recent)
        choice = _choice(asked, jobs) if jobs else None
        drawn, problem = _read(unit, asked, jobs, choice)
    listed = list({job.id: job for job in [*jobs, *recent]}.values())
    shown: dict[str, Any] = {
        "asked": asked, "jobs": jobs, "listed": listed, "problem": problem, "choice": choice,
        "metrics": shared_metrics(jobs), "methods": known_methods(jobs), "seeds": known_seeds(jobs),
        "marks": marks(known_methods(jobs)), "names": {job.id: job.name for job in jobs},
        "measure": measure_name(objective_of(jobs[0])) if jobs else "accuracy",
    }  # fmt: skip
    return {
        **shown,
        "follow": followed(jobs),
        **(_drawn_context(asked, jobs, choice, drawn, shown) if choice and drawn else {"drawn": None}),
    }


def followed(jobs: Sequence[JobView]) -> Follow | None:
    """The events of those of the jobs that may still find points; None without jobs."""
    going = [job.id for job in jobs if job.state not in ENDED_JOB_STATES]
    return Follow(jobs=going[:MOST_FOLLOWED], ended=not going) if jobs else None


def growth_context(store: Store, asked: AskedView) -> dict[str, Any]:
    """The context of `growth.html`. Raises NotFoundError, or InvalidInputError where jobs do not compare."""
    with store.unit() as unit:
        jobs = _jobs(unit, asked, unit.jobs.page(limit=RECENT_JOBS, cursor=None, state=None).items)
        if not jobs:
            raise InvalidInputError("no job is named.", fix="Choose jobs on the page of fronts.")
        choice = _choice(asked, jobs)
        figure = hypervolume_over(unit, jobs, choice, over=asked.over)
    part = figures_part([figure], "/v1/fronts")
    return {**part, "rest_query": rest_query(jobs, choice), "over": asked.over}


def _jobs(unit: Unit, asked: AskedView, recent: Sequence[JobView]) -> list[JobView]:
    """The chosen jobs; the newest with a finished trial where nothing was asked for."""
    if asked.jobs or asked.batch or asked.label:
        labels = [label_of(asked.label)] if asked.label else []
        return chosen_jobs(unit, asked.jobs, batch=asked.batch, labels=labels)
    return [job for job in recent if job.trials_finished][:1]


def _choice(asked: AskedView, jobs: Sequence[JobView]) -> Choice:
    offered = shared_metrics(jobs)
    own = [metric for metric in own_metrics(jobs) if metric in offered]
    seeds = [seed for seed in known_seeds(jobs) if str(seed) in asked.seeds]
    return Choice(
        metric=asked.metric if asked.metric in offered else (own or offered)[0],
        methods=tuple(method for method in known_methods(jobs) if method in asked.methods),
        seeds=tuple(seeds),
    )


def _read(
    unit: Unit, asked: AskedView, jobs: Sequence[JobView], choice: Choice | None
) -> tuple[Drawn | None, InvalidInputError | None]:
    """The points, or why the jobs do not compare."""
    if choice is None:
        return None, None
    try:
        read = unit.clouds.cloud(jobs, choice)
        most = MOST_ROWS if asked.region.bounded and not asked.hide_dominated else 0
        return Drawn(
            cloud=unit.clouds.view(jobs, choice, most=MOST_DRAWN, cloud=read),
            rows=unit.clouds.view(jobs, choice, region=asked.region, most=most, cloud=read),
        ), None
    except InvalidInputError as error:
        return None, error


def _drawn_context(
    asked: AskedView, jobs: Sequence[JobView], choice: Choice, drawn: Drawn, shown: dict[str, Any]
) -> dict[str, Any]:
    query = rest_query(jobs, choice)
    points = [point.cost for point in drawn.cloud.points if point.on_own_front]
    return {
        "drawn": drawn,
        "rows": drawn.rows.points[:MOST_ROWS],
        "best": best_rows(jobs, drawn.cloud, asked.budget),
        "least": min(points, default=0.0),
        "greatest": max(points, default=1.0),
        "rest_query": query,
        "region_query": urlencode(_region_query(asked.region)),
        "metric_note": metric_note(choice.metric),
        "measure_note": likelihood_note(objective_of(jobs[0])),
        "setup": {
            "cloud": cloud_columns(drawn.cloud),
            "methods": marks_json(shown["marks"]),
            "measure": shown["measure"],
            "query": query,
        },
    }


def best_rows(jobs: Sequence[JobView], cloud: CloudView, budget: float | None) -> list[BestRow]:
    """Of each job and method that has points: the best by validation that costs at most the budget."""
    limit = math.inf if budget is None else budget
    found: dict[tuple[str, str], CloudPoint | None] = {}
    for point in cloud.points:  # cheapest first, so the last that fits is the best on a front
        key = (point.job_id, point.method)
        fits = point.on_own_front and point.cost <= limit
        found[key] = point if fits else found.get(key)
    by_id = {job.id: job for job in jobs}
    rows = [
        BestRow(job=by_id[job_id], method=method, point=point) for (job_id, method), point in found.items()
    ]
    return sorted(rows, key=lambda row: -row.point.score if row.point else 0.0)


def rest_query(jobs: Sequence[JobView], choice: Choice) -> str:
    """The same choice for a call of `/v1/fronts`."""
    pairs: list[tuple[str, object]] = [("job", job.id) for job in jobs]
    pairs += [("metric", choice.metric), *(("method", name) for name in choice.methods)]
    return urlencode([*pairs, *(("seed", seed) for seed in choice.seeds)])


def _region_query(region: Region) -> list[tuple[str, object]]:
    """What of a region has to be told."""
    told = [(name, getattr(region, name)) for name in ("cost_min", "cost_max", "score_min", "score_max")]
    usual = Region()
    return [(name, end) for name, end in told if end != getattr(usual, name)] + [
        ("accuracy", region.accuracy)
    ]


def _number(text: str | None) -> float | None:
    """A number that an axis may have; None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
