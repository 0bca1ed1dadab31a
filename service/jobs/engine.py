"""The feed of one claimed job: hands out its trials, records their results, and ends the job.

Every record is one unit of work under the claim's fencing token. Once another dispatcher holds the job,
nothing more is written and the run is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from models.errors import StorageError
from search.job import JobSpec
from search.strategies import make_strategy
from service.jobs.record import Record
from service.jobs.turns import StrategyMaker, Turns
from service.store import Claim, Store
from workers.checkpoints import is_resume
from workers.feed import TrialFeed
from workers.places import Where, place_of
from workers.planning import JobPlan, plan_job
from workers.report import EpochReport, TrialFailure, TrialOutcome, TrialRequest, TrialStop

Planner = Callable[[JobSpec, Path], JobPlan]
POLL_SECONDS = 1.0
"""How long an answer of the database about cancelling is good for."""


class JobRun:
    """A job under a claim; implements `workers.feed.TrialFeed`. Used from one thread, after `prepare`.

    `halt` says that the run is to stop; the job then goes back to the queue. While `orderly` holds as well,
    each trial may first store what it has trained. `checkpoints` is where trials leave their files, whose
    size is noted.
    """

    def __init__(
        self,
        store: Store,
        claim: Claim,
        *,
        data_folder: Path,
        checkpoints: Where | None = None,
        plan: Planner = plan_job,
        make: StrategyMaker = make_strategy,
        halt: Callable[[], bool] = lambda: False,
        orderly: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claim = claim
        self._record = Record(store, claim)
        self._data_folder = data_folder
        self._checkpoints = None if checkpoints is None else place_of(checkpoints)
        self._plan = plan
        self._make = make
        self._halt = halt
        self._orderly = orderly
        self._clock = clock
        self._log = structlog.get_logger("bitfront.engine").bind(job=claim.job_id)
        self._turns: Turns | None = None
        self._cancelling = False
        self.without_room = False
        """A checkpoint or a row could not be stored."""
        self._polled_at = -POLL_SECONDS

    def prepare(self) -> None:
        """Plan the job and bring every study to where its stored trials end. Raises what planning raises."""
        plan = self._plan(self._claim.spec, self._data_folder)
        self._turns = Turns(self._record, plan, self._make)

    def next_trial(self) -> TrialRequest | Literal["wait", "finished"]:
        """A trial of the study whose turn it is; "wait" while every study needs results first."""
        found = None if self._over() else self._prepared.next()
        if self._over():
            return "finished"
        if found is None:
            return "finished" if self._prepared.finished else "wait"
        seed, trial = found
        attempt = 1
        with self._record.unit() as unit:
            attempt = unit.results.next_attempt(trial.id)
        return TrialRequest(
            trial_id=trial.id,
            spec=self._claim.spec.to_json(),
            proposal=trial.planned.proposal,
            seed=seed,
            job_id=self._claim.job_id,
            trace_id=self._claim.trace_id,
            attempt=attempt,
        )

    def started(self, trial_id: str) -> None:
        """An attempt begins."""
        with self._record.unit() as unit:
            attempt = unit.results.start(self._claim, trial_id)
            self._log.info("attempt started", trial=trial_id, attempt=attempt)

    def lost(self, trial_id: str, message: str) -> None:
        """An attempt ended with its worker; another follows."""
        self._log.warning("attempt lost", trial=trial_id, message=message)
        with self._record.unit() as unit:
            unit.results.lose(self._claim, trial_id, message)

    def put_back(self, trial_id: str) -> None:
        """A worker died before it took the trial up; the trial waits for another."""
        self._prepared.put_back(trial_id)

    def epoch(self, trial_id: str, report: EpochReport) -> None:
        """A trial finished an epoch."""
        with self._record.result(trial_id, "epoch") as unit:
            unit.results.epoch(self._claim, trial_id, report)

    def advanced(self, trial_id: str, samples: int) -> None:
        """A trial stored a checkpoint in the middle of an epoch."""
        with self._record.unit() as unit:
            unit.results.advance(self._claim, trial_id, samples)

    def succeeded(self, trial_id: str, outcome: TrialOutcome) -> None:
        """A trial ended with points; a second result of the same trial changes nothing."""
        counted = False
        with self._record.result(trial_id, "success") as unit:
            counted = unit.results.succeed(
                self._claim, trial_id, outcome, stored_bytes=self._stored_bytes(trial_id, resume=False)
            )
        self._settle(trial_id, counted=counted)

    def stopped(self, trial_id: str, stop: TrialStop) -> None:
        """A trial was stopped early; a second end of the same trial changes nothing."""
        counted = False
        with self._record.result(trial_id, "stop") as unit:
            counted = unit.results.prune(
                self._claim, trial_id, stop, stored_bytes=self._stored_bytes(trial_id, resume=False)
            )
        self._settle(trial_id, counted=counted)

    def unstored(self, trial_id: str, message: str) -> None:
        """A trial could not store its checkpoint: the job goes back to the queue, to be gone on with."""
        self.without_room = True
        self.lost(trial_id, message)

    def failed(self, trial_id: str, failure: TrialFailure) -> None:
        """A trial failed; what fails while the dispatcher stops will be run again."""
        if self._halt():
            return
        counted = False
        with self._record.result(trial_id, "failure") as unit:
            counted = unit.results.fail(
                self._claim, trial_id, failure, stored_bytes=self._stored_bytes(trial_id)
            )
        self._settle(trial_id, counted=counted)

    def cancelled(self) -> bool:
        """Whether to stop: the job was cancelled or taken over, or the dispatcher stops."""
        if not self._over() and self._clock() - self._polled_at >= POLL_SECONDS:
            self._polled_at = self._clock()
            with self._record.unit() as unit:
                self._cancelling = unit.jobs.cancel_requested(self._claim)
        return self._over()

    def pausing(self) -> bool:
        """Whether the dispatcher stops, and the job is still its own to go on with until then."""
        others = self._record.stale or self._cancelling or self.without_room
        return self._halt() and self._orderly() and not others

    def finish(self) -> None:
        """End the job by what it reached, or give it back where the dispatcher stops before the end."""
        with self._record.unit() as unit:
            if unit.jobs.cancel_requested(self._claim):
                unit.jobs.finish(self._claim, "cancelled")
            elif self._prepared.finished:
                error = unit.studies.why_no_point(self._claim.job_id)
                unit.jobs.finish(self._claim, "failed" if error else "succeeded", error)
            elif self._halt() or self.without_room:
                unit.jobs.release(self._claim)
            else:
                unit.jobs.finish(self._claim, "failed", "The trials stopped before the search was complete.")

    def abort(self, message: str) -> None:
        """End the job as failed, or give it back where the dispatcher stops: that may be why it failed."""
        with self._record.unit() as unit:
            if self._halt():
                unit.jobs.release(self._claim)
            else:
                unit.jobs.finish(self._claim, "failed", message)

    def give_back(self) -> None:
        """Return the job to the queue: what it needs cannot be stored or reached now."""
        self.without_room = True
        with self._record.unit() as unit:
            unit.jobs.release(self._claim)

    def _settle(self, trial_id: str, *, counted: bool) -> None:
        self._log.info("trial ended", trial=trial_id, counted=counted)
        self._prepared.settle(trial_id, counted=counted)

    def _stored_bytes(self, trial_id: str, *, resume: bool = True) -> int:
        """What the folder of a trial holds, with or without what serves resuming; 0 where it holds nothing
        or cannot be looked at."""
        if self._checkpoints is None:
            return 0
        try:
            sizes = self._checkpoints.child(trial_id).sizes()
            return sum(size for name, size in sizes.items() if resume or not is_resume(name))
        except StorageError as error:
            self._log.warning("checkpoints cannot be counted", error=str(error))
            return 0

    @property
    def _prepared(self) -> Turns:
        if self._turns is None:
            raise RuntimeError("prepare() comes first")
        return self._turns

    def _over(self) -> bool:
        return self._record.stale or self._cancelling or self.without_room or self._halt()


if TYPE_CHECKING:

    def _implements_the_feed(run: JobRun) -> TrialFeed:
        return run
