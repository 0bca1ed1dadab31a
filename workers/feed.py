"""Where the trials of an engine come from and where their results go: what `workers.tune` asks of a job."""

from __future__ import annotations

from typing import Literal, Protocol

from workers.report import EpochReport, TrialFailure, TrialOutcome, TrialRequest, TrialStop


class TrialFeed(Protocol):
    """Where trials come from and where their results go; called from one thread only."""

    def next_trial(self) -> TrialRequest | Literal["wait", "finished"]:
        """The next trial to run; "wait" while results are outstanding that decide what comes next."""

    def started(self, trial_id: str) -> None:
        """An attempt at a trial begins; also each retry."""

    def lost(self, trial_id: str, message: str) -> None:
        """An attempt ended with the death of its worker; another follows."""

    def put_back(self, trial_id: str) -> None:
        """A worker died before it took the trial up; `next_trial` hands it out again."""

    def epoch(self, trial_id: str, report: EpochReport) -> None:
        """A trial finished an epoch."""

    def advanced(self, trial_id: str, samples: int) -> None:
        """A trial stored a checkpoint in the middle of an epoch, so many samples after its beginning."""

    def succeeded(self, trial_id: str, outcome: TrialOutcome) -> None:
        """A trial ended with its points."""

    def stopped(self, trial_id: str, stop: TrialStop) -> None:
        """A trial was stopped early."""

    def unstored(self, trial_id: str, message: str) -> None:
        """A trial found no room for its checkpoint, or could not reach its place; it has not ended."""

    def failed(self, trial_id: str, failure: TrialFailure) -> None:
        """A trial ended before its end, with the points that it had reached by then."""

    def cancelled(self) -> bool:
        """Whether to stop; polled about once a second and after each result."""

    def pausing(self) -> bool:
        """Whether to stop in order: each trial that runs may first store what it has trained."""
