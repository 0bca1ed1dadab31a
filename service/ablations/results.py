"""The results of a variant from the jobs that it ran: per budget, the spread over seeds.

Each seed counts with its best feasible point by validation score (the objective of the job). Test values are
shown, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.allocation import Allocation as Bits
from models.cost import LayerShape, layer_loads, mean_bits
from service.ablations.views import BudgetResult, SeedResult
from service.spread import spread_of
from service.views import JobView, StudyView

Allocation = Mapping[str, Mapping[str, Any]]
SHAPE_FIELDS = ("name", "kind", "macs", "weights", "inputs", "biases")


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanBits:
    """Bits averaged over the searched layers of a network, as the bit budget averages them."""

    weight: float
    spike: float
    steps: float


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResults:
    """A job with its layer table (rows of `LayerView`) and the allocations of its best points by id."""

    job: JobView
    layers: Sequence[Mapping[str, Any]]
    allocations: Mapping[str, Allocation]

    def studies(self, method: str) -> list[StudyView]:
        """The studies of a method, one per seed."""
        return [study for study in self.job.studies if study.method == method]


def mean_bits_of(layers: Sequence[Mapping[str, Any]], allocation: Allocation) -> MeanBits | None:
    """The mean bits of an allocation; None where the layer table is not known."""
    known = {row["name"]: row for row in layers}
    if not allocation or not known.keys() >= allocation.keys():
        return None
    shapes = [LayerShape(**{field: known[name][field] for field in SHAPE_FIELDS}) for name in allocation]
    loads = layer_loads(shapes, Bits.from_json(allocation), "searched")
    weight, spike, steps = (float(mean) for mean in mean_bits(loads))
    return MeanBits(weight=weight, spike=spike, steps=steps)


def budget_results(jobs: Sequence[JobResults], method: str) -> list[BudgetResult]:
    """The results of a method under every budget of some jobs, the least first."""
    found = [_budget_result(results, method, entry.budget) for results in jobs for entry in results.job.best]
    return sorted(found, key=lambda result: result.budget)


def trials_of(jobs: Sequence[JobResults], method: str) -> tuple[int, int]:
    """The trials of a method that are planned and that have ended."""
    studies = [study for results in jobs for study in results.studies(method)]
    done = sum(study.trials_succeeded + study.trials_failed for study in studies)
    planned = sum(_trials_planned(results) for results in jobs)
    return planned, done


def _trials_planned(results: JobResults) -> int:
    spec = results.job.spec
    return int(spec["compute"]["trials_per_study"]) * len(spec["seeds"])


def _budget_result(results: JobResults, method: str, budget: float) -> BudgetResult:
    found = list(_found(results.studies(method), budget))
    bits = [mean_bits_of(results.layers, results.allocations.get(one.point_id, {})) for one in found]
    known = [one for one in bits if one is not None]
    return BudgetResult(
        budget=budget,
        seeds=len(results.job.spec["seeds"]),
        found=found,
        validation_accuracy=spread_of([one.validation_accuracy for one in found]),
        test_accuracy=spread_of([one.test_accuracy for one in found]),
        score=spread_of([one.score for one in found]),
        test_score=spread_of([one.test_score for one in found]),
        cost=spread_of([one.cost for one in found]),
        weight_bits=spread_of([one.weight for one in known]),
        spike_bits=spread_of([one.spike for one in known]),
        steps=spread_of([one.steps for one in known]),
    )


def _found(studies: Sequence[StudyView], budget: float) -> Iterator[SeedResult]:
    for study in studies:
        for entry in study.best:
            if entry.budget == budget and entry.point_id is not None:
                yield SeedResult(seed=study.seed, **entry.model_dump(exclude={"budget"}))
