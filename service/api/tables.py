"""The columns of each table as CSV."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, get_args

from models.cost import COST_VERSIONS
from service.ablations.views import AblationView
from service.api.csv_answers import Columns
from service.batches.views import BatchView
from service.differences.views import LayerBitsView, LayerChange, LayerDifference
from service.hooks.views import DeliveryView, WebhookView
from service.keys import KeyView
from service.point_layers import PointLayerView
from service.reruns.views import RerunView
from service.trajectory.views import TrajectoryView
from service.uploads.views import UploadView
from service.views import (
    AttemptView,
    EpochView,
    IncidentView,
    JobState,
    JobView,
    NamedView,
    PointView,
    StudyView,
    TrialAttemptView,
    TrialView,
)


def _fields(*names: str) -> dict[str, Callable[[Any], object]]:
    return {name: attrgetter(name) for name in names}


def _spec(*path: str) -> Callable[[JobView], object]:
    def read(job: JobView) -> object:
        found: Any = job.spec
        for name in path:
            found = found[name]
        return found

    return read


def _cost(scope: str, metric: str) -> Callable[[PointView], object]:
    return lambda point: point.costs.get(scope, {}).get(metric)


def _in_state(state: JobState) -> Callable[[BatchView], object]:
    return lambda batch: batch.jobs_by_state[state]


def _side(side: str, name: str) -> Callable[[LayerDifference], object]:
    def read(row: LayerDifference) -> object:
        bits = getattr(row, side)
        return None if bits is None else getattr(bits, name)

    return read


JOBS: Columns[JobView] = {
    **_fields("id", "name", "state", "labels"),
    "batch_id": lambda job: job.batch and job.batch.id,
    "batch_index": lambda job: job.batch and job.batch.index,
    "overrides": lambda job: job.batch and job.batch.overrides,
    "architecture": _spec("architecture"),
    "dataset": _spec("dataset", "name"),
    "metric": _spec("budget", "metric"),
    "budgets": _spec("budget", "max"),
    "methods": _spec("methods"),
    "seeds": _spec("seeds"),
    **_fields("trials_planned", "trials_finished", "created_at", "started_at", "finished_at", "error"),
    "objective": _spec("objective"),
    **_fields("priority", "reason", "trace_id"),
}
STUDIES: Columns[StudyView] = {
    **_fields(*(name for name in StudyView.model_fields if name != "best")),
    "best": lambda study: [one.model_dump() for one in study.best],
}
TRIALS: Columns[TrialView] = _fields(
    *(name for name in TrialView.model_fields if name not in {"epochs", "attempts", "point_ids"})
)
ATTEMPTS: Columns[TrialAttemptView] = _fields(*TrialAttemptView.model_fields)
INCIDENTS: Columns[IncidentView] = _fields(*IncidentView.model_fields)
EPOCHS: Columns[EpochView] = _fields(*EpochView.model_fields)
POINTS: Columns[PointView] = {
    **_fields("id", "ordinal", "trial_id", "job_id", "method", "seed", "feasible"),
    **_fields("validation_accuracy", "test_accuracy"),
    **{
        f"{metric}_{scope}": _cost(scope, metric) for scope in ("searched", "all") for metric in COST_VERSIONS
    },
    **_fields("allocation", "checkpoint_sha256", "created_at", "objective", "score", "test_score"),
    **_fields("validation_balanced_accuracy", "test_balanced_accuracy", "validation_loss", "test_loss"),
}
BATCHES: Columns[BatchView] = {
    **_fields("id", "name", "state", "created_at", "jobs", "jobs_ended"),
    **{f"jobs_{state}": _in_state(state) for state in get_args(JobState)},
    **_fields("trials_planned", "trials_finished", "share_done"),
}
DELIVERIES: Columns[DeliveryView] = {
    **_fields(*(name for name in DeliveryView.model_fields if name != "attempts")),
    "attempts": lambda sent: len(sent.attempts),
    "status": lambda sent: sent.attempts[-1].status if sent.attempts else None,
    "reason": lambda sent: sent.attempts[-1].reason if sent.attempts else None,
}
ABLATIONS: Columns[AblationView] = {
    **_fields("id", "name", "state", "created_at", "jobs", "jobs_ended", "trials_planned", "trials_done"),
    "groups": lambda ablation: ablation.spec["groups"],
}
TRAJECTORY: Columns[TrajectoryView] = {
    **_fields("epoch", "layer"),
    "steps": lambda row: row.bits.steps,
    "spike_bits": lambda row: row.bits.spike_bits,
    "weight_bits": lambda row: row.bits.weight_bits,
    **_fields("changed", "renewals"),
}
UPLOADS: Columns[UploadView] = _fields("id", "kind", "name", "bytes", "sha256", "created_at")
POINT_LAYERS: Columns[PointLayerView] = _fields(*PointLayerView.model_fields)
DIFFERENCES: Columns[LayerDifference] = {
    "layer": attrgetter("layer"),
    **{f"{side}_{name}": _side(side, name) for side in ("a", "b") for name in LayerBitsView.model_fields},
    **{f"change_{name}": _side("change", name) for name in LayerChange.model_fields},
    "same": attrgetter("same"),
}
ATTEMPTS_AT: Columns[AttemptView] = _fields(*AttemptView.model_fields)
RERUNS: Columns[RerunView] = {
    **_fields(*(name for name in RerunView.model_fields if name != "measures")),
    "measures": lambda rerun: [measure.model_dump() for measure in rerun.measures],
}
KEYS: Columns[KeyView] = _fields(*KeyView.model_fields)
WEBHOOKS: Columns[WebhookView] = _fields(*WebhookView.model_fields)
NAMED: Columns[NamedView] = _fields(*NamedView.model_fields)
