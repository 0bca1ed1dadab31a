"""What a comparison is made of, and what it says: studies in, intervals over seeds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from search.comparison.attained import Accuracy, Found
from search.comparison.intervals import Interval

Outcome = Literal["better", "worse", "undecided", "nothing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyRecord:
    """What one (method, seed) was given and what it found, in the order of its trials.

    `share` is the samples that every study of the job may process and `samples` those that it has; `seconds`
    is the wall time of its trials and `device_seconds` that of the GPUs they held. `finished` says that its
    method asks for nothing more: it has used its share, or has nothing left to try.
    """

    method: str
    seed: int
    share: int
    samples: int
    seconds: float
    device_seconds: float
    finished: bool
    found: tuple[Found, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """Hypervolume over seeds after a share (0 to 1) of a study's compute: median and range."""

    share: float
    median: float
    least: float
    greatest: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AtBudget:
    """The score of the best point under a budget; `missing` seeds have none and are left out."""

    budget: float
    score: Interval | None
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodResult:
    """How one method did over the seeds of the job."""

    method: str
    samples: int  # the most that one of its studies has processed
    seconds: float  # mean wall seconds of a study
    device_seconds: float
    hypervolumes: tuple[float, ...]  # at the end, one per seed
    hypervolume: Interval
    curve: tuple[CurvePoint, ...]
    at_budgets: tuple[AtBudget, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The subject of a comparison against one other method.

    `difference` is in hypervolume, paired by seed. `compute_factor` is how many times the subject's compute
    the other method used to reach the subject's median hypervolume, None where it did not within
    `compute_searched` times. `seeds_needed` is how many seeds in all would likely settle an undecided
    difference, None beyond 100.
    """

    method: str
    against: str
    difference: Interval | None
    outcome: Outcome
    compute_factor: float | None
    compute_searched: float
    seeds_needed: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A whole comparison. `refusal` says why no verdict can be given at all: compute was not equal, say."""

    accuracy: Accuracy
    budgets: tuple[float, ...]
    subject: str
    methods: tuple[MethodResult, ...]
    pairs: tuple[Pair, ...]
    refusal: str | None
    verdict: str
