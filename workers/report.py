"""What a trial reports: one `EpochReport` after each epoch, then its end: an outcome, a stop or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from search.objective import Measured

FailureReason = Literal["nan_loss", "out_of_memory", "timeout", "lost", "error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRequest:
    """One training run: the job's complete spec, a proposal (stored form), the study's seed and an id.

    The id is a plain name (letters, digits, `-`); it names the trial's folder under the checkpoints. What
    stands below `seed` goes into log lines alone: requests that differ in nothing else are the same training.
    """

    trial_id: str
    spec: Mapping[str, Any]
    proposal: Mapping[str, Any]
    seed: int
    job_id: str | None = field(default=None, compare=False)
    trace_id: str | None = field(default=None, compare=False)
    attempt: int = field(default=1, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochReport:
    """The state of a trial after one epoch; epochs count from 1."""

    epoch: int
    epochs: int
    samples: int  # training samples processed so far
    seconds: float  # wall seconds of this epoch
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_accuracy: float
    budget_cost: float  # of the current rounded bits, in the metric of the job's budget
    mean_weight_bits: float  # over the searched layers, weighted as the bit budget weighs them
    mean_spike_bits: float
    mean_steps: float
    data_wait_share: float = 0.0  # of the seconds spent on training steps, those that passed waiting for data
    validation_balanced_accuracy: float | None = None  # None in what was stored before it was measured
    validation_loss: float | None = None  # mean cross entropy, likewise
    layer_bits: Mapping[str, Any] | None = None  # rounded bits of each layer where they may change
    renewals: Mapping[str, int] | None = None  # step sizes of each layer renewed in this epoch, likewise

    @property
    def validation(self) -> Measured:
        """What the objective of a job is read from."""
        return Measured(
            accuracy=self.validation_accuracy,
            balanced_accuracy=self.validation_balanced_accuracy,
            loss=self.validation_loss,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PointResult:
    """A realised allocation: its costs by scope and metric, what was measured of it, and its checkpoint.

    Accuracies are from 0 to 1, losses mean cross entropies; those that are None were not measured when the
    point was stored.
    """

    allocation: Mapping[str, Any]
    costs: Mapping[str, Mapping[str, float]]  # {"searched": {metric: value}, "all": {metric: value}}
    cost_versions: Mapping[str, int]
    rates: Mapping[str, list[float]]  # nonzero spike rate per layer and step
    validation_accuracy: float
    test_accuracy: float
    checkpoint: str  # file name inside the trial's folder, ending in .safetensors
    checkpoint_sha256: str
    validation_balanced_accuracy: float | None = None
    test_balanced_accuracy: float | None = None
    validation_loss: float | None = None
    test_loss: float | None = None

    @property
    def validation(self) -> Measured:
        """What was measured on the validation split, which steers."""
        return Measured(
            accuracy=self.validation_accuracy,
            balanced_accuracy=self.validation_balanced_accuracy,
            loss=self.validation_loss,
        )

    @property
    def test(self) -> Measured:
        """What was measured on the test split, which steers nothing."""
        return Measured(
            accuracy=self.test_accuracy, balanced_accuracy=self.test_balanced_accuracy, loss=self.test_loss
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialOutcome:
    """The end of a trial that succeeded."""

    points: tuple[PointResult, ...]
    epochs: int
    samples: int
    provenance: Mapping[str, Any] = field(default_factory=dict)  # versions, threads, data hash


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialStop:
    """The end of a trial that was stopped early, after `epochs` epochs; it has no point."""

    epochs: int
    samples: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFailure:
    """The end of a trial that failed, with a reason that users can act on.

    `points` is what the stages of a descent had reached before; `provenance` is theirs.
    """

    reason: FailureReason
    message: str
    points: tuple[PointResult, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def to_json(report: EpochReport | TrialOutcome | TrialStop | TrialFailure) -> dict[str, Any]:
    """A plain dictionary that crosses process borders."""
    return asdict(report)


def outcome_from_json(data: Mapping[str, Any]) -> TrialOutcome:
    """The inverse of `to_json` for an outcome."""
    return TrialOutcome(**{**data, "points": _points(data)})


def failure_from_json(data: Mapping[str, Any]) -> TrialFailure:
    """The inverse of `to_json` for a failure."""
    return TrialFailure(**{**data, "points": _points(data)})


def _points(data: Mapping[str, Any]) -> tuple[PointResult, ...]:
    return tuple(PointResult(**point) for point in data["points"])
