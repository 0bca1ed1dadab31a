"""One study of a running job: its strategy, and the round that is being worked on.

Everything follows from what is stored: a strategy is told the finished rounds in order, as they come back
from the store, whether they ended a moment ago or before a crash. So a resumed study continues exactly as
an undisturbed one does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from models.allocation import Allocation
from search.job import EarlyStoppingSpec
from search.stopping import Peer, with_bars
from search.strategy import (
    FixedBits,
    Proposal,
    Strategy,
    TrialResult,
    affordable,
    proposal_from_json,
    proposal_to_json,
    trials_of,
)
from service.store.studies import PlannedTrial, StoredTrial
from service.views import ENDED_TRIAL_STATES

Fingerprint = Callable[[Mapping[str, Any]], str]
"""From the stored form of a proposal to the identity of its training."""


class StudyRun:
    """A study between two moments of its job: what waits, what is open, and what its strategy knows."""

    def __init__(
        self,
        *,
        study_id: str,
        seed: int,
        strategy: Strategy,
        trials: int,
        fingerprint: Fingerprint,
        epochs: int = 1,
        stopping: EarlyStoppingSpec | None = None,
    ) -> None:
        self.id = study_id
        self.seed = seed
        self.finished = False
        self.queued: deque[StoredTrial] = deque()
        self.rounds_told = 0
        self._open: set[str] = set()
        self._strategy = strategy
        self._trials_left = Fraction(trials)
        self._epochs = epochs
        self._stopping = stopping
        self._peers: list[Peer] = []
        self._numbers_told = 0
        self._fingerprint = fingerprint

    def take_in(self, stored: Sequence[StoredTrial]) -> None:
        """Tell the strategy the rounds that have ended, from `rounds_told` on; take up the open one."""
        for _, grouped in groupby(stored, key=lambda trial: trial.planned.round):
            trials = list(grouped)
            if all(trial.state in ENDED_TRIAL_STATES for trial in trials):
                self._tell(trials)
            else:
                self._open = {trial.id for trial in trials if trial.state not in ENDED_TRIAL_STATES}
                self.queued = deque(trial for trial in trials if trial.state == "queued")

    @property
    def working(self) -> bool:
        """Whether its round still has trials that have not ended."""
        return bool(self._open)

    def next_round(self) -> list[PlannedTrial]:
        """The trials that the strategy asks for next, within the study's share of compute; maybe none."""
        proposals = affordable(self._strategy.ask(), self._trials_left)
        return [
            self._planned(number, proposal) for number, proposal in enumerate(proposals, self._numbers_told)
        ]

    def take(self, *, but: Collection[str]) -> StoredTrial | None:
        """Remove and return the first queued trial that trains something other than `but` (fingerprints)."""
        found = next((trial for trial in self.queued if trial.planned.fingerprint not in but), None)
        if found is not None:
            self.queued.remove(found)
        return found

    def ended(self, trial_id: str) -> None:
        """Note that a trial of the open round has ended."""
        self._open.discard(trial_id)

    def _tell(self, trials: Sequence[StoredTrial]) -> None:
        self._strategy.ask()  # the protocol's turn; the stored proposals are the truth
        results = [trial_result(trial, self._epochs) for trial in trials]
        self._strategy.tell(results)
        self._peers += [peer for trial in trials if (peer := _peer(trial)) is not None]
        self.rounds_told += 1
        self._numbers_told += len(trials)
        self._trials_left -= sum(result.used for result in results)

    def _planned(self, number: int, proposal: Proposal) -> PlannedTrial:
        stopping = self._stopping
        if stopping is not None:
            place = {"min_epoch": stopping.min_epoch, "epochs": self._epochs}
            proposal = with_bars(proposal, self._peers, **place)
        stored = proposal_to_json(proposal)
        return PlannedTrial(
            round=self.rounds_told,
            number=number,
            proposal=stored,
            fingerprint=self._fingerprint(stored),
            share=trials_of(proposal),
        )


def trial_result(trial: StoredTrial, epochs: int) -> TrialResult:
    """What is told of a trial: its point with the highest score (of equals the cheaper), or none."""
    proposal = proposal_from_json(trial.planned.proposal)
    if not trial.points:
        stopped = Fraction(trial.epochs_done, epochs) if trial.state == "pruned" else None
        return TrialResult(proposal=proposal, allocation=None, score=None, cost=None, stopped_after=stopped)
    best = min(trial.points, key=lambda point: (-point.score, point.budget_cost))
    return TrialResult(
        proposal=proposal,
        allocation=Allocation.from_json(best.allocation),
        score=best.score,
        cost=best.budget_cost,
    )


def _peer(trial: StoredTrial) -> Peer | None:
    """A trial of given bits that did not fail, as trials of later rounds are held against it."""
    proposal = proposal_from_json(trial.planned.proposal)
    if not isinstance(proposal, FixedBits) or trial.state == "failed" or not trial.scores:
        return None
    return Peer(budget=proposal.note["budget"], scores=trial.scores)
