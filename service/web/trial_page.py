"""What the pages of the trials of a job, and of one trial, show: attempts, learning curves, the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from models.errors import InvalidInputError
from service.api.filters import check_study
from service.figures.learning import learning_figures
from service.store import Store
from service.views import ENDED_JOB_STATES, ENDED_TRIAL_STATES, TrialState, TrialView
from service.web.attempt_bars import timeline, words_of
from service.web.figures_page import figures_part
from service.web.live import Follow
from service.web.marks import marks
from service.web.trajectory_part import trajectory_context
from service.worker_log import worker_lines

LATE_SHOWN = 20
LISTED = 50


def trial_context(store: Store, logs: Path, trial_id: str, epoch: str | None = None) -> dict[str, Any]:
    """The context of `trial.html`. Raises NotFoundError."""
    with store.unit() as unit:
        trial = unit.trials.get(trial_id)
        trained = unit.trials.trained(trial)
        job = unit.jobs.get(trial.job_id)
        points = [unit.points.get(point_id) for point_id in trial.point_ids]
        over_epochs = trajectory_context(unit, trial_id, epoch)
        late = unit.incidents.of_trial(trial.id, limit=LATE_SHOWN)
    now = datetime.now(UTC)
    return {
        "trial": trial,
        "job": job,
        "points": points,
        "late": late,
        "mark": marks([trial.method])[trial.method],
        "timeline": timeline(trial.attempts, now),
        "words": {attempt.number: words_of(attempt, now) for attempt in trial.attempts},
        "lines": worker_lines(logs, trial.id),
        "trained": trained,
        "proposal_text": json.dumps(trial.proposal, indent=2, ensure_ascii=False),
        "follow": Follow(jobs=[job.id], epochs=True, ended=trial.state in ENDED_TRIAL_STATES),
        **over_epochs,
        **learning_part(trained),
    }


def learning_part(trial: TrialView) -> dict[str, Any]:
    """What `learning.html` and the script of its page need."""
    return figures_part(learning_figures(trial), f"/v1/trials/{trial.id}/figures")


def trials_context(store: Store, job_id: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """The context of `trials.html`; a filter without a value filters nothing.

    Raises NotFoundError and InvalidInputError.
    """
    chosen = {name: asked.get(name) or None for name in ("state", "method", "seed")}
    seed, cursor = _whole(chosen["seed"]), asked.get("cursor") or None
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        check_study(job, chosen["method"], seed)
        page = unit.trials.page(
            job_id, limit=LISTED, cursor=cursor, state=chosen["state"], method=chosen["method"], seed=seed
        )
    return {
        "job": job,
        "follow": Follow(jobs=[job.id], ended=job.state in ENDED_JOB_STATES),
        "page": page,
        "chosen": chosen,
        "first": cursor is None,
        "states": get_args(TrialState),
        "methods": list(dict.fromkeys(study.method for study in job.studies)),
        "seeds": sorted({study.seed for study in job.studies}),
        "marks": marks([study.method for study in job.studies]),
    }


def _whole(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(f"the seed {text[:40]!r} is no whole number.") from None
