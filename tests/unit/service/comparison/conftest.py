"""A job with two methods and uniform, whose studies have used their whole share of compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.cost import COST_VERSIONS
from service.store import Store
from service.store.studies import PlannedTrial
from workers.report import PointResult, TrialOutcome

MIDDLE = 2 * 2**0.5
"""The cost halfway between the budgets 2 and 4 on a logarithmic axis."""
CLEAR: Mapping[str, Sequence[float]] = {
    "gradient": (0.90, 0.91, 0.92),
    "random": (0.80, 0.81, 0.823),
    "uniform": (0.89, 0.92, 0.90),
}


@pytest.fixture
def spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Two trials for each study; the plan gives 1000 samples to each."""
    return spec | {"methods": ["random", "gradient"], "seeds": [0, 1, 2]}


@pytest.fixture
def compared(api: TestClient, api_store: Store, spec: dict[str, Any]) -> Callable[..., str]:
    """Makes a job from the accuracies of each method by seed; its id.

    A study finds a point of that accuracy at cost 2, and then one that is 0.02 better at MIDDLE.
    """

    def make(accuracies: Mapping[str, Sequence[float]] = CLEAR, *, finish: bool = True) -> str:
        job_id = str(api.post("/v1/jobs", json=spec).json()["id"])
        with api_store.unit() as unit:
            claim = unit.jobs.claim("test", 60)
            assert claim is not None
            unit.studies.prepare(claim)
            studies = unit.jobs.get(job_id).studies
            for study in studies:
                _run(unit, claim, study.id, accuracies[study.method][study.seed])
                if finish:
                    unit.studies.finish(claim, study.id)
            if finish:
                unit.jobs.finish(claim, "succeeded")
        return job_id

    return make


def _run(unit: Any, claim: Any, study: str, accuracy: float) -> None:
    planned = [
        PlannedTrial(round=0, number=number, proposal={}, fingerprint=f"{study}-{number}")
        for number in (0, 1)
    ]
    unit.studies.plan(claim, study, planned)
    found = ((2.0, accuracy), (MIDDLE, accuracy + 0.02))
    for trial, (cost, reached) in zip(unit.studies.trials(study), found, strict=True):
        unit.results.start(claim, trial.id)
        outcome = TrialOutcome(points=(_point(cost, reached),), epochs=8, samples=1000, provenance={})
        unit.results.succeed(claim, trial.id, outcome)


def _point(cost: float, accuracy: float) -> PointResult:
    costs = {"bit_budget": cost, "s_ace": 400.0, "weight_kib": 0.1, "spike_kib": 0.1}
    return PointResult(
        allocation={"conv1": {"steps": 1, "spike_bits": [2], "weight_bits": 2}},
        costs={"searched": costs, "all": costs},
        cost_versions=dict(COST_VERSIONS),
        rates={"conv1": [0.1]},
        validation_accuracy=accuracy,
        test_accuracy=accuracy - 0.01,
        checkpoint="point-0.safetensors",
        checkpoint_sha256="0" * 64,
    )
