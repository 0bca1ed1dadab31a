"""What the job page shows: one read of the store, turned into the context of its template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.job import JobSpec
from search.objective import likelihood_note, measure_name
from service.front_views import FrontView
from service.store import Store
from service.views import ENDED_JOB_STATES, STOPPED_EARLY, IncidentView, JobView, TrialView
from service.web.formats import metric_note
from service.web.live import Follow
from service.web.marks import marks, marks_json
from service.web.verdict import Accuracy, budget_verdicts

TRIALS_SHOWN = 100
INCIDENTS_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRead:
    """What one transaction read; `more_failures` when there are more than `failures` lists; so for `stopped`.

    `ablation` is the (id, name) of the one that the job belongs to.
    """

    job: JobView
    front: FrontView
    failures: list[TrialView]
    more_failures: bool
    stopped: list[TrialView]
    more_stopped: bool
    ablation: tuple[str, str] | None
    incidents: list[IncidentView]


def job_context(store: Store, job_id: str, *, metric: str | None, accuracy: str | None) -> dict[str, Any]:
    """The context of `job.html`; a choice that the page does not offer falls back. Raises NotFoundError."""
    read = _read(store, job_id, metric)
    spec = JobSpec.model_validate(read.job.spec)
    found = marks(spec.all_methods())
    chosen, other = _accuracies(accuracy)
    return {
        "job": read.job,
        "spec": spec,
        "ended": read.job.state in ENDED_JOB_STATES,
        "follow": Follow(jobs=[job_id], epochs=True, ended=read.job.state in ENDED_JOB_STATES),
        "front": read.front,
        "accuracy": chosen,
        "measure": measure_name(spec.objective),
        "measure_note": likelihood_note(spec.objective),
        "metrics": spec.metrics(),
        "marks": found,
        "verdicts": budget_verdicts(read.job, chosen),
        "other_verdicts": budget_verdicts(read.job, other),
        "other_accuracy": other,
        "ablation": read.ablation,
        "incidents": read.incidents,
        "failures": read.failures,
        "more_failures": read.more_failures,
        "stopped": read.stopped,
        "more_stopped": read.more_stopped,
        "setup": _chart_setup(read, spec, marks_json(found)),
    }


def progress(job: JobView) -> float:
    """The share of the planned trials that have ended; a job that succeeded may need fewer than planned."""
    if job.state == "succeeded":
        return 1.0
    return min(job.trials_finished / max(job.trials_planned, 1), 1.0)


def _read(store: Store, job_id: str, metric: str | None) -> JobRead:
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        spec = JobSpec.model_validate(job.spec)
        chosen = metric if metric in spec.metrics() else spec.budget.metric
        front = unit.fronts.front(job_id, metric=chosen, method=None, seed=None, all_points=False)
        failed, pruned = (
            unit.trials.page(job_id, limit=TRIALS_SHOWN, cursor=None, state=state, method=None, seed=None)
            for state in ("failed", "pruned")
        )
        ablation = unit.ablations.of_job(job_id)
        incidents = unit.incidents.page(job_id, limit=INCIDENTS_SHOWN, cursor=None)
    return JobRead(
        job=job,
        front=front,
        failures=failed.items,
        more_failures=failed.next_cursor is not None,
        stopped=[trial for trial in pruned.items if trial.reason == STOPPED_EARLY],
        more_stopped=pruned.next_cursor is not None,
        ablation=ablation,
        incidents=incidents.items,
    )


def _accuracies(asked: str | None) -> tuple[Accuracy, Accuracy]:
    """The split whose scores the page shows, and the other one."""
    return ("test", "validation") if asked == "test" else ("validation", "test")


def _chart_setup(read: JobRead, spec: JobSpec, methods: list[dict[str, Any]]) -> Mapping[str, Any]:
    """What the chart cannot read from /v1: marks of methods, and limits."""
    return {
        "job_id": read.job.id,
        "metric": spec.budget.metric,
        "measure": measure_name(spec.objective),
        "objective": spec.objective,
        "metrics": {name: metric_note(name) for name in spec.metrics()},
        "budgets": [limit.maximum for limit in spec.budgets()],
        "constraints": {limit.metric: limit.maximum for limit in spec.constraint_limits()},
        "methods": methods,
    }
