"""One claimed job whose methods follow a script, on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from models.allocation import Allocation, LayerBits
from search.job import JobSpec
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult
from service.jobs import JobRun
from service.store import Claim, Store

Script = dict[str, list[list[int]]]
"""The weight bits that each method proposes, round by round."""


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    """What is tested here does not depend on the dialect."""
    return sqlite_database


class Scripted:
    """A strategy that proposes given weight bits, round by round, and remembers what it is told."""

    def __init__(self, rounds: Sequence[Sequence[int]], told: list[Sequence[TrialResult]]) -> None:
        self._rounds = rounds
        self._told = told
        self._number = 0

    def ask(self) -> list[Proposal]:
        rounds = self._rounds[self._number : self._number + 1]
        return [proposal(bits) for asked in rounds for bits in asked]

    def tell(self, results: Sequence[TrialResult]) -> None:
        self._told.append(results)
        self._number += 1


def proposal(weight_bits: int) -> FixedBits:
    bits = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=weight_bits)
    return FixedBits(allocation=Allocation(layers={"body": bits, "classifier": bits}), note={})


class Scene:
    """One claimed job with scripted methods."""

    def __init__(
        self, store: Store, training: Any, spec: JobSpec, script: dict[str, list[list[int]]]
    ) -> None:
        self.store = store
        self.training = training
        self.script = script
        self.told: dict[str, list[Sequence[TrialResult]]] = {name: [] for name in script}
        self.halting, self.orderly = False, True
        self.now = 0.0
        with store.unit() as unit:
            self.job_id = unit.jobs.submit(spec, trials_planned=1, plan={}, idempotency_key=None)[0].id
        self.claim = self.claimed()

    def claimed(self, seconds: float = 0.0) -> Claim:
        with self.store.unit() as unit:
            claim = unit.jobs.claim("test", seconds)
        assert claim is not None
        return claim

    def job(self, claim: Claim | None = None) -> JobRun:
        """A prepared run of the claim."""
        run = JobRun(
            self.store,
            claim or self.claim,
            data_folder=self.training.folder,
            plan=self.training.plan,
            make=self.strategy,
            halt=lambda: self.halting,
            orderly=lambda: self.orderly,
            clock=lambda: self.now,
        )
        run.prepare()
        return run

    def strategy(self, name: str, context: StudyContext) -> Scripted:
        return Scripted(self.script[name], self.told[name])

    def view(self) -> Any:
        with self.store.unit() as unit:
            return unit.jobs.get(self.job_id)

    def trials(self, state: str | None = None) -> list[Any]:
        with self.store.unit() as unit:
            page = {"limit": 100, "cursor": None, "method": None, "seed": None}
            return unit.trials.page(self.job_id, **page, state=state).items[::-1]

    def points(self) -> list[Any]:
        with self.store.unit() as unit:
            return unit.points.page(self.job_id, limit=100, cursor=None).items


@pytest.fixture
def scene(store, job_spec, training, tmp_path) -> Iterator[Callable[..., Scene]]:
    training.folder = tmp_path

    def make(script: Script, **changes: Any) -> Scene:
        fields = {"methods": [name for name in script if name != "uniform"] or ["uniform"], **changes}
        return Scene(store, training, job_spec(**fields), {"uniform": [], **script})

    return make
