"""What the page of a point shows: its bits and costs, how it was trained, and how to have it again."""

from __future__ import annotations

import json
from typing import Any

from search.architecture import chosen_of, words
from search.job import JobSpec
from search.objective import likelihood_note, measure_name
from service.point_layers import layers_of
from service.reruns.views import ENDED_RERUN_STATES
from service.store import Store
from service.views import PointView
from service.web.budget_used import budget_used
from service.web.difference_page import others_of
from service.web.layer_bars import layer_chart, layer_rows, spikes_text
from service.web.live import Follow
from service.web.marks import marks
from service.web.trajectory_part import trajectory_context
from service.web.trial_page import learning_part

RERUNS_SHOWN = 5
EVERY_SECONDS = 2
"""No event tells of reruns."""


def point_context(store: Store, point_id: str, epoch: str | None = None) -> dict[str, Any]:
    """The context of `point.html`; bits are shown after an epoch. Raises NotFoundError."""
    with store.unit() as unit:
        point = unit.points.get(point_id)
        job = unit.jobs.get(point.job_id)
        reruns = unit.reruns.of_point(point_id, limit=RERUNS_SHOWN)
        others = others_of(unit, point)
        trained = unit.trials.trained(unit.trials.get(point.trial_id))
        over_epochs = trajectory_context(unit, trained.id, epoch)
    going = any(rerun.state not in ENDED_RERUN_STATES for rerun in reruns)
    return {
        "point": point,
        "reruns": reruns,
        "others": others,
        **over_epochs,
        **learning_part(trained),
        "rerun_going": going,
        "follow": Follow(jobs=[job.id], every=EVERY_SECONDS, ended=not going),
        "job": job,
        "used": budget_used(point),
        "measure": measure_name(point.objective),
        "measure_note": likelihood_note(point.objective),
        "mark": marks([point.method])[point.method],
        "chart": layer_chart(point),
        "layers": layer_rows(point),
        "settings": words(chosen_of(point.settings)),
        **_hardware_context(point),
        **_shares_context(point),
        "spec_text": json.dumps(point.spec, indent=2, ensure_ascii=False),
        "proposal_text": json.dumps(point.proposal, indent=2, ensure_ascii=False),
    }


def _hardware_context(point: PointView) -> dict[str, Any]:
    """The unit that the costs of the layers are about, and how long it works for one sample."""
    hardware = JobSpec.model_validate(point.spec).cost_basis().hardware
    cycles = sum(layer.cycles for layer in point.layer_costs)
    return {"hardware": hardware, "cycles": cycles, "seconds": hardware.seconds(cycles)}


def _shares_context(point: PointView) -> dict[str, Any]:
    shares = layers_of(point)
    return {
        "shares": shares,
        "most_share": max((row.s_ace_share or 0.0 for row in shares), default=0.0),
        "metric": point.spec["budget"]["metric"],
        "budget_shared": any(row.budget_share is not None for row in shares),
        "spikes_text": spikes_text,
    }
