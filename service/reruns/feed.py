"""A feed of one trial, the one that a point came from; and what its end says of the point.

It runs on the engine that trained the point, with the cores, devices and threads that its job gives a trial;
killed, it resumes from its checkpoint. Its folder is its own and is removed when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from search.stopping import without_bars
from service.errors import StaleLeaseError
from service.reruns.comparison import equal, measures, same_allocation
from service.store import Store
from service.store.reruns import RerunClaim
from service.views import PointView
from workers.checkpoints import read_checked
from workers.places import Place, Stored
from workers.report import EpochReport, TrialFailure, TrialOutcome, TrialRequest, TrialStop

Result = dict[str, Any]


class RerunFeed:
    """Implements `workers.feed.TrialFeed`; `halt` says that the dispatcher stops or has lost its lease.

    While `orderly` holds as well, it has the lease, and the trial may first store what it has trained.
    """

    def __init__(
        self,
        store: Store,
        claim: RerunClaim,
        point: PointView,
        *,
        halt: Callable[[], bool],
        orderly: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._claim = claim
        self._point = point
        self._halt = halt
        self._orderly = orderly
        self._handed_out = False
        self._stale = False
        self.without_room = False
        self.result: Result | None = None
        self.error: str | None = None

    def next_trial(self) -> TrialRequest | Literal["wait", "finished"]:
        """The trial, once."""
        if self._handed_out or self.cancelled():
            return "finished"
        self._handed_out = True
        proposal = without_bars(self._point.proposal)  # whoever asks for one training wants its point
        return TrialRequest(
            trial_id=self._claim.rerun_id, spec=self._point.spec, proposal=proposal, seed=self._point.seed
        )

    def started(self, trial_id: str) -> None:
        """An attempt begins."""

    def lost(self, trial_id: str, message: str) -> None:
        """An attempt ended with its worker; another follows."""

    def put_back(self, trial_id: str) -> None:
        """A worker died before it took the trial up."""
        self._handed_out = False

    def epoch(self, trial_id: str, report: EpochReport) -> None:
        """Note how far it is."""
        try:
            with self._store.unit() as unit:
                unit.reruns.epoch(self._claim, report.epoch)
        except StaleLeaseError:
            self._stale = True

    def advanced(self, trial_id: str, samples: int) -> None:
        """It stored a checkpoint in the middle of an epoch."""

    def succeeded(self, trial_id: str, outcome: TrialOutcome) -> None:
        """Compare."""
        self.result = result_of(self._point, outcome)

    def stopped(self, trial_id: str, stop: TrialStop) -> None:
        """It cannot be: nothing stops it early."""
        self.error = stop.message

    def unstored(self, trial_id: str, message: str) -> None:
        """Its checkpoint could not be stored; it is given back."""
        self.without_room = True

    def failed(self, trial_id: str, failure: TrialFailure) -> None:
        """It ended without a point; what fails while the dispatcher stops will be run again."""
        if not self._halt():
            self.error = f"{failure.reason}: {failure.message}"

    def cancelled(self) -> bool:
        """Whether to stop now."""
        return self._stale or self.without_room or self._halt()

    def pausing(self) -> bool:
        """Whether the dispatcher stops, and the rerun is still its own to go on with until then."""
        return self._halt() and self._orderly() and not (self._stale or self.without_room)


def result_of(point: PointView, outcome: TrialOutcome) -> Result:
    """What came out again, as `RerunRepository.finish` stores it."""
    again = same_allocation(point, outcome)
    return {
        "same": equal(point, again),
        "same_weights": again is not None and again.checkpoint_sha256 == point.checkpoint_sha256,
        "measures": [
            {"name": name, "stored": getattr(point, name), "again": again and getattr(again, name)}
            for name in measures(point)
        ],
    }


def put_back(checkpoints: Place, claim: RerunClaim, point: PointView, home: tuple[str, str]) -> bool:
    """Give a point its checkpoint again where it is gone, from a rerun that reached the same weights.

    `home` is where it belongs: the folder of a trial, and the name there.
    """
    folder, name = checkpoints.child(home[0]), home[1]
    if name in folder.names():
        return False
    file = Stored(place=checkpoints.child(claim.rerun_id), name=name)
    folder.write(name, read_checked(file, point.checkpoint_sha256))
    return True


def forget_folder(checkpoints: Place, claim: RerunClaim) -> None:
    """Remove what the training left."""
    checkpoints.child(claim.rerun_id).clear()
