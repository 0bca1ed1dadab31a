"""The studies of a running job, in turn: which trial comes next, and what follows when one has ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from search.architecture import chosen_of
from search.strategy import Strategy, StudyContext
from service.jobs.record import Record
from service.jobs.rounds import StudyRun
from service.store import ids
from service.store.studies import StoredTrial, study_keys
from workers.costing import recosted
from workers.planning import JobPlan, fingerprint, study_context
from workers.report import PointResult

StrategyMaker = Callable[[str, StudyContext], Strategy]


class Turns:
    """Hands out trials of all studies in turn, so that the methods progress alike."""

    def __init__(self, record: Record, plan: JobPlan, make: StrategyMaker) -> None:
        self._record = record
        self._make = make
        self._turn = 0
        spec = record.claim.spec
        self._curves = None if spec.compute.early_stopping is None else spec.objective
        self._under_way: dict[str, tuple[StudyRun, StoredTrial]] = {}
        self._log = structlog.get_logger("bitfront.engine").bind(job=record.claim.job_id)
        with record.unit() as unit:
            unit.studies.prepare(record.claim)
        self._plan, self._basis = plan, record.claim.spec.cost_basis()
        self._studies = [self._study(plan, method, seed) for method, seed in study_keys(record.claim.spec)]
        for study in self._studies:
            self._advance(study)

    @property
    def finished(self) -> bool:
        """Whether no study asks for anything more."""
        return all(study.finished for study in self._studies)

    def next(self) -> tuple[int, StoredTrial] | None:
        """The next trial that must be trained, with its study's seed; None where all wait for results."""
        while (picked := self._pick()) is not None and not self._record.stale:
            study, trial = picked
            if not self._reuse(study, trial):
                self._under_way[trial.id] = picked
                return study.seed, trial
        return None

    def settle(self, trial_id: str, *, counted: bool) -> None:
        """Go on after a result; a trial whose result did not count though it is under way waits again."""
        if self._record.stale or trial_id not in self._under_way:
            self._log.warning("a late result was rejected", trial=trial_id)
        elif counted:
            self._ended(*self._under_way.pop(trial_id))
        else:
            self._log.warning("a result came for a trial that was not running", trial=trial_id)
            self.put_back(trial_id)

    def put_back(self, trial_id: str) -> None:
        """Let a trial that was handed out but never begun wait for its turn again."""
        study, trial = self._under_way.pop(trial_id)
        study.queued.appendleft(trial)

    def _study(self, plan: JobPlan, method: str, seed: int) -> StudyRun:
        claim = self._record.claim
        return StudyRun(
            study_id=ids.study_id(claim.job_id, method, seed),
            seed=seed,
            strategy=self._make(method, study_context(claim.spec, plan, seed)),
            trials=claim.spec.compute.trials_per_study,
            epochs=claim.spec.training.epochs,
            stopping=claim.spec.compute.early_stopping,
            fingerprint=partial(fingerprint, claim.spec, seed=seed, data_stamp=plan.data_stamp),
        )

    def _advance(self, study: StudyRun) -> None:
        """Take in what has ended, and plan the next round once the last one is complete."""
        with self._record.unit() as unit:
            stored = unit.studies.trials(study.id, first_round=study.rounds_told, curves=self._curves)
            study.take_in(stored)
        if self._record.stale or study.working:
            return
        planned = study.next_round()
        with self._record.unit() as unit:
            if planned:
                unit.studies.plan(self._record.claim, study.id, planned)
            else:
                unit.studies.finish(self._record.claim, study.id)
        study.finished = not planned
        if planned:
            self._advance(study)

    def _pick(self) -> tuple[StudyRun, StoredTrial] | None:
        """The next trial in turn; one that trains the same as a trial under way waits for its result."""
        busy = {trial.planned.fingerprint for _, trial in self._under_way.values()}
        for step in range(len(self._studies)):
            place = (self._turn + step) % len(self._studies)
            study = self._studies[place]
            trial = study.take(but=busy)
            if trial is not None:
                self._turn = place + 1
                return study, trial
        return None

    def _reuse(self, study: StudyRun, trial: StoredTrial) -> bool:
        """Take the result of an earlier trial over that trained the same; whether there is one."""
        reused = False
        with self._record.unit() as unit:
            reused = unit.results.reuse(self._record.claim, trial.id, self._recost(trial))
        if reused:
            self._ended(study, trial)
        return reused

    def _recost(self, trial: StoredTrial) -> Callable[[PointResult], PointResult]:
        """Costs of this job, by the layer table of the architecture that the trial is for."""
        chosen = chosen_of(trial.planned.proposal.get("settings", {}))
        return partial(recosted, layers=self._plan.layers_on(chosen), basis=self._basis)

    def _ended(self, study: StudyRun, trial: StoredTrial) -> None:
        study.ended(trial.id)
        if not study.working:
            self._advance(study)
