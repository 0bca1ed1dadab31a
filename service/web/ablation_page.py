"""What the pages of ablations show."""

from __future__ import annotations

from typing import Any

from search.objective import likelihood_note, measure_name
from service.ablations.views import ENDED_ABLATION_STATES, AblationView
from service.figures.accuracy import ablation_figures
from service.store import Store
from service.web.figures_page import figures_part
from service.web.live import MOST_FOLLOWED, Follow
from service.web.marks import figure_marks

ABLATIONS_PER_PAGE = 20


def ablations_context(store: Store, cursor: str | None) -> dict[str, Any]:
    """The context of `ablations.html`. Raises InvalidInputError for a bad cursor."""
    with store.unit() as unit:
        page = unit.ablations.page(limit=ABLATIONS_PER_PAGE, cursor=cursor)
    return {"page": page, "first": cursor is None, "done": done, "follow": Follow()}


def ablation_context(store: Store, ablation_id: str) -> dict[str, Any]:
    """The context of `ablation.html`. Raises NotFoundError."""
    with store.unit() as unit:
        ablation = unit.ablations.get(ablation_id)
    ended = ablation.state in ENDED_ABLATION_STATES
    figures = ablation_figures(ablation)
    job = ablation.spec["job"]
    objective = job.get("objective", "accuracy")
    return {
        "ablation": ablation,
        "ended": ended,
        "done": done,
        "metric": job["budget"]["metric"],
        "measure": measure_name(objective),
        "measure_note": likelihood_note(objective),
        "marks": {figure.key: figure_marks(figure) for figure in figures},
        **figures_part(figures, f"/v1/ablations/{ablation.id}/figures"),
        "follow": Follow(jobs=_jobs(ablation), ended=ended),
    }


def _jobs(ablation: AblationView) -> list[str]:
    """Its jobs, or none where they are too many to be named: then the page follows whatever happens."""
    found = {job for group in ablation.groups for variant in group.variants for job in variant.job_ids}
    return sorted(found) if len(found) <= MOST_FOLLOWED else []


def done(ablation: AblationView) -> float:
    """The share of the planned trials that have ended; jobs that have ended may have needed fewer."""
    if ablation.jobs_ended == ablation.jobs:
        return 1.0
    return min(ablation.trials_done / max(ablation.trials_planned, 1), 1.0)
