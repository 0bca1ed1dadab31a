"""What the API answers: one frozen model per thing a person can look at (design section 6).

The store returns these, the REST API sends them, the client parses them and the pages render them.
Times are UTC. Accuracies are fractions from 0 to 1, losses mean cross entropies. A score is the objective of
the job (search.objective): more is better, 0 to 1; `score` is that of the validation split, which chooses,
and `test_score` that of the test split, which chooses nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from search.objective import Objective

JobState = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]
LateKind = Literal["epoch", "success", "stop", "failure"]
TrialState = Literal["queued", "running", "succeeded", "pruned", "failed"]
ENDED_JOB_STATES: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})
ENDED_TRIAL_STATES: frozenset[TrialState] = frozenset({"succeeded", "pruned", "failed"})
STOPPED_EARLY = "early_stopping"
"""The reason of a pruned trial that fell behind; one that its job left behind has none."""
EventKind = Literal["job_state", "trial_started", "epoch", "trial_finished", "point"]
ExportFormat = Literal["integers", "nir", "onnx"]
"""What a point can be taken away as."""
Item = TypeVar("Item")


class View(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


class Page(View, Generic[Item]):
    """A slice of a listing, newest first; `next_cursor` is None on the last page."""

    items: list[Item]
    next_cursor: str | None = None


class BestUnderBudget(View):
    """The feasible point with the highest score under one budget of the job."""

    budget: float
    point_id: str | None
    cost: float | None
    validation_accuracy: float | None
    test_accuracy: float | None
    score: float | None = None
    test_score: float | None = None


class StudyView(View):
    """One (method, seed) of a job and how far it is; a trial with a share counts as that many."""

    id: str
    method: str
    seed: int
    trials_planned: int  # at most, from the job's compute
    trials_queued: int
    trials_running: int
    trials_succeeded: int
    trials_failed: int
    trials_stopped: int = 0  # early, by `compute.early_stopping`; each counts as the part that it trained
    trials_reused: int  # of those succeeded, the ones whose point came from an earlier trial
    samples: int  # training samples processed
    finished: bool
    best: list[BestUnderBudget]


class BatchPlace(View):
    """Where a job stands in its batch: its number from 0, and the fields that tell it from the others."""

    id: str
    index: int
    overrides: dict[str, Any]  # {JSON pointer into the job: value}


class JobView(View):
    """A job and its progress; `studies` and `best` are empty in listings."""

    id: str
    name: str
    state: JobState
    spec: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    reason: str | None = None  # a word for programs: dispatcher_lost, where it ended its dispatcher too often
    priority: int = 0  # in the queue of its workspace; greater is earlier
    trace_id: str | None = None  # of the request that submitted it, as in all log lines about it
    trials_planned: int
    trials_finished: int  # succeeded, pruned or failed; those stopped early count as what they trained
    seconds_left: float | None  # an estimate from the trials so far; None before the first has ended
    labels: dict[str, str] = {}
    batch: BatchPlace | None = None
    studies: list[StudyView] = []
    best: list[BestUnderBudget] = []


def objective_of(job: JobView) -> Objective:
    """What a job is for; those stored before there was a choice are for accuracy."""
    found: Objective = job.spec.get("objective", "accuracy")
    return found


class EpochView(View):
    """One epoch of a trial's learning curve (fields of workers.report.EpochReport)."""

    epoch: int
    samples: int
    seconds: float
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_accuracy: float
    budget_cost: float
    mean_weight_bits: float
    mean_spike_bits: float
    mean_steps: float
    data_wait_share: float | None = None  # None in epochs stored before it was measured, as the next two
    validation_balanced_accuracy: float | None = None
    validation_loss: float | None = None


class AttemptView(View):
    """One try at running a trial."""

    number: int
    state: Literal["running", "succeeded", "pruned", "failed", "lost"]
    started_at: datetime
    ended_at: datetime | None
    first_epoch: int | None  # the first epoch this attempt reported; above 1 when it resumed
    message: str | None


class TrialAttemptView(AttemptView):
    """An attempt among those of all trials of a job."""

    trial_id: str
    method: str
    seed: int


class TrialView(View):
    """A training run; `epochs`, `attempts` and `point_ids` are empty in listings."""

    id: str
    job_id: str
    method: str
    seed: int
    round: int
    number: int  # within its study, from 0
    share: int = 1  # how many of its study's trials it counts as
    state: TrialState
    reason: str | None  # of a failure: nan_loss, out_of_memory, timeout, lost, error; or early_stopping
    message: str | None
    reused_from: str | None  # the trial whose result this one took over instead of training again
    proposal: dict[str, Any]
    epochs_done: int
    samples: int
    seconds: float
    created_at: datetime
    finished_at: datetime | None
    epochs: list[EpochView] = []
    attempts: list[AttemptView] = []
    point_ids: list[str] = []


class IncidentView(View):
    """A lease of a job that ran out, or a result that came after it and was rejected."""

    id: int
    job_id: str
    kind: Literal["lease_expired", "late_result"]
    what: LateKind | None  # of a late result
    trial_id: str | None
    dispatcher: str
    token: int  # of the lease that was over
    created_at: datetime


class LayerCostView(View):
    """What one layer of a point costs by itself (fields of models.cost.LayerCosts)."""

    name: str
    searched: bool
    s_ace: float
    compute_cycles: float
    memory_cycles: float
    cycles: float  # the greater of the two
    utilisation: float  # the share of the lanes' cycles that computes a product, 0 to 1
    energy_uj: float
    weight_kib: float
    spike_kib: float
    table: float | None  # by the job's own table, where that has an entry


class PointView(View):
    """A realised allocation with everything that makes it reproducible."""

    id: str
    ordinal: int = 0  # among the points of its trial
    trial_id: str
    job_id: str
    method: str
    seed: int
    settings: dict[str, Any] = {}  # of its architecture, those that the search chose
    allocation: dict[str, Any]  # of the searched layers: {layer: models.allocation.LayerBits as JSON}
    costs: dict[str, dict[str, float]]  # {scope: {metric: value}}
    cost_versions: dict[str, int]
    rates: dict[str, list[float]]
    objective: Objective = "accuracy"
    score: float
    test_score: float
    validation_accuracy: float
    test_accuracy: float
    validation_balanced_accuracy: float | None = None  # None where it was not measured, as the next three
    test_balanced_accuracy: float | None = None
    validation_loss: float | None = None
    test_loss: float | None = None
    feasible: bool  # keeps every constraint and the greatest budget of its job
    checkpoint_sha256: str
    provenance: dict[str, Any]
    spec: dict[str, Any]
    proposal: dict[str, Any]
    created_at: datetime
    layer_costs: list[LayerCostView] = []  # empty in listings, and where the layer table is not known


class EventView(View):
    """One entry of a job's event stream; ids only grow."""

    id: int
    job_id: str
    kind: str  # an EventKind; a client may be older than its service
    data: dict[str, Any]
    created_at: datetime


class LayerView(View):
    """A row of the layer table."""

    name: str
    kind: str
    macs: int
    weights: int
    inputs: int
    biases: int
    searched: bool
    partner: str | None = None  # the layer whose spikes stand in place of weights
    fixed: dict[str, Any] | None = None  # the bits of a layer that is not searched


class PlanView(View):
    """What `validate_only` answers: the layer table, and the least and greatest cost by each metric.

    With a search space the table is that of the first architecture, and costs reach over all of them.
    """

    valid: bool
    architectures: int = 1  # that there are to choose among
    settings: dict[str, Any] = {}  # of the one whose layers these are; empty without a search space
    layers: list[LayerView]
    costs: dict[str, tuple[float, float]]  # {metric: (least, greatest achievable)}
    trials: int
    samples_per_study: int


class NamedView(View):
    """An architecture, data set or method that a job may name."""

    name: str
    summary: str
    details: dict[str, Any]  # settings with their defaults, shape and classes, and the like
    available: bool = True
    reason: str | None = None  # why it is not available, and the fix
