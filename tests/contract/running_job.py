"""A claimed job for the contract of the store, and the result of one of its trials."""

from __future__ import annotations

from typing import Any

from models.allocation import Allocation, LayerBits
from service.store import Claim, Store
from service.store.studies import PlannedTrial
from workers.report import TrialOutcome

EVERY = {"limit": 1000, "cursor": None}


class RunningJob:
    """A claimed job whose first study has two planned trials."""

    def __init__(self, store: Store, spec: Any, *, fingerprint: str = "f") -> None:
        self.store = store
        with store.unit() as unit:
            self.job_id = unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None)[0].id
            self.claim: Claim = unit.jobs.claim("test", 60)
        with store.unit() as unit:
            unit.studies.prepare(self.claim)
            self.study = unit.jobs.get(self.job_id).studies[0].id
            planned = [
                PlannedTrial(round=0, number=n, proposal=PROPOSAL, fingerprint=f"{fingerprint}-{n}")
                for n in (0, 1)
            ]
            unit.studies.plan(self.claim, self.study, planned)
            self.trials = [trial.id for trial in unit.studies.trials(self.study)]

    def do(self, name: str, trial: str, *rest: Any) -> bool:
        """One step of the engine; what is reused keeps its costs unless told."""
        if name == "reuse" and not rest:
            rest = (lambda point: point,)
        with self.store.unit() as unit:
            return getattr(unit.results, name)(self.claim, trial, *rest)

    def kinds(self) -> list[str]:
        with self.store.unit() as unit:
            return [event.kind for event in unit.events.after(self.job_id, after=0, limit=1000)]

    def points(self) -> list[Any]:
        with self.store.unit() as unit:
            return unit.points.page(self.job_id, **EVERY).items


BITS = LayerBits.uniform(steps=2, spike_bits=2, weight_bits=2)
ALLOCATION = Allocation(layers={"body": BITS, "classifier": BITS})
PROPOSAL = {"kind": "fixed_bits", "allocation": ALLOCATION.to_json(), "note": {"zeta": 1e16, "alpha": 0.1}}


def outcome_of(training: Any) -> TrialOutcome:
    """A trial of 200 samples that ends in one point."""
    point = training.point(ALLOCATION, accuracy=0.75)
    return TrialOutcome(points=(point,), epochs=2, samples=200, provenance={"torch": "2"})
