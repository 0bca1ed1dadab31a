"""What the pages are shown on: a service with made-up searches and ablations, run by the tests themselves."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import Any

from models.allocation import Allocation, LayerBits
from models.cost import COST_VERSIONS, LayerShape, costs
from search.ablation import AblationSpec, ablation_variants
from search.job import JobSpec
from service.store import Store, ids
from service.store.ablations import JobPlanned
from service.store.leases import Claim
from service.store.studies import PlannedTrial
from workers.report import EpochReport, PointResult, TrialFailure, TrialOutcome

LAYERS = tuple(
    LayerShape(
        name=f"stage{stage}.{block}.conv{number}",
        kind="conv",
        macs=9 * 16**2 * 28**2,
        weights=9 * 16**2 * 4 ** (stage - 1),
        inputs=16 * 28**2 // 2 ** (stage - 1),
        biases=16 * stage,
    )
    for stage in (1, 2, 3)
    for block in (0, 1, 2)
    for number in (1, 2)
)
GAIN = {
    "gradient": 0.016,
    "gradient-targets": 0.009,
    "optuna-tpe": 0.004,
    "optuna-nsga2": 0.0,
    "random": -0.028,
    "uniform": 0.0,
}
"""How far above the common curve of accuracy against cost the points of a method lie."""


EPOCHS = 8
COSTS = (1.3, 1.9, 3.1, 3.9, 5.5, 7.8, 9.0)


@dataclass(kw_only=True)
class Search:
    """A job in a store, whose results a test writes itself."""

    store: Store
    claim: Claim
    planned: dict[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The job's page."""
        return f"/jobs/{self.claim.job_id}"

    def start_trial(self, method: str, seed: int, *, budget: float = 4.0) -> str:
        """Plan and start the next trial of a study, for a budget."""
        study = ids.study_id(self.claim.job_id, method, seed)
        number = self.planned.get(study, 0)
        self.planned[study] = number + 1
        kind = "learn_bits" if method.startswith("gradient") else "fixed_bits"
        proposal = {"kind": kind, "budget": {"metric": "bit_budget", "maximum": budget}, "note": {}}
        trial = PlannedTrial(round=number, number=number, proposal=proposal, fingerprint=f"{study}/{number}")
        trial_id = ids.trial_id(study, number)
        with self.store.unit() as unit:
            unit.studies.plan(self.claim, study, [trial])
            unit.results.start(self.claim, trial_id)
        return trial_id

    def add_point(self, method: str, seed: int, *, cost: float, accuracy: float | None = None) -> str:
        """Run a trial of a study to a point close to a cost (`bit_budget`); the id of the point."""
        dice = random.Random(f"{method}/{seed}/{cost}")  # noqa: S311 - made-up results, not a secret
        budgets = [limit.maximum for limit in self.claim.spec.budgets()]
        budget = next((one for one in budgets if one >= cost), budgets[-1])
        trial_id = self.start_trial(method, seed, budget=budget)
        point = _point(method, dice, cost, accuracy)
        with self.store.unit() as unit:
            for epoch in range(1, EPOCHS + 1):
                unit.results.epoch(self.claim, trial_id, _epoch(point, epoch, seed))
            provenance = {"threads": 1, "versions": {"torch": "2.13.0"}, "data_sha256": "5" * 64}
            outcome = TrialOutcome(points=(point,), epochs=8, samples=65_536, provenance=provenance)
            unit.results.succeed(self.claim, trial_id, outcome)
        return ids.point_id(trial_id, 0)

    def add_failure(self, method: str, seed: int, *, message: str) -> None:
        """Run a trial of a study to a failure."""
        trial_id = self.start_trial(method, seed)
        with self.store.unit() as unit:
            unit.results.fail(self.claim, trial_id, TrialFailure(reason="nan_loss", message=message))

    def fill(self) -> None:
        """Points of every method and seed, on both sides of every budget, and one failure."""
        for method, seed, cost in product(self.claim.spec.all_methods(), (0, 1, 2), COSTS):
            self.add_point(method, seed, cost=cost)
        self.add_failure("random", 1, message="the loss is not a number")

    def end(self) -> None:
        """End the job as a search that is through does."""
        with self.store.unit() as unit:
            for study in unit.jobs.get(self.claim.job_id).studies:
                unit.studies.finish(self.claim, study.id)
            unit.jobs.finish(self.claim, "succeeded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """A service that runs, and the store behind it."""

    url: str
    store: Store

    def search(self, name: str) -> Search:
        """Submit and claim a job."""
        spec = JobSpec.model_validate(SPEC | {"name": name})
        with self.store.unit() as unit:
            unit.jobs.submit(spec, trials_planned=106, plan=PLAN, idempotency_key=None)
        return self.claimed()

    def claimed(self) -> Search:
        """Claim the oldest queued job."""
        with self.store.unit() as unit:
            claim = unit.jobs.claim("test", 600)
            assert claim is not None
            unit.studies.prepare(claim)
        return Search(store=self.store, claim=claim)

    def ablation(self, name: str) -> Ablated:
        """Submit an ablation with every group."""
        spec = AblationSpec.model_validate({"job": SPEC | {"name": name}})
        variants = ablation_variants(spec, LAYERS)
        plan = JobPlanned(trials=9, plan=PLAN)
        plans = {job.digest(): plan for variant in variants for job in variant.jobs}
        with self.store.unit() as unit:
            found, _ = unit.ablations.submit(spec, variants, plans=plans, idempotency_key=None)
        return Ablated(site=self, id=found.id, jobs=found.jobs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ablated:
    """An ablation in a store, whose jobs a test runs itself."""

    site: Site
    id: str
    jobs: int

    @property
    def path(self) -> str:
        """Its page."""
        return f"/ablations/{self.id}"

    def run_one(self) -> Search:
        """Claim the next job, give every study a point under every budget, and end it."""
        search = self.site.claimed()
        spec = search.claim.spec
        shift = 0.002 * (len(spec.name) % 7 - 3)  # so that variants differ
        for method, seed, budget in product(spec.all_methods(), spec.seeds, spec.budget.max):
            accuracy = 0.91 - 0.13 / budget**0.75 + GAIN[method] + shift + 0.003 * (seed - 1)
            search.add_point(method, seed, cost=0.97 * budget, accuracy=accuracy)
        search.end()
        return search


PLAN = {"layers": [{**asdict(layer), "searched": True} for layer in LAYERS]}
SPEC = {
    "name": "",
    "architecture": {"name": "resnet20"},
    "dataset": {"name": "fashion-mnist"},
    "budget": {"metric": "bit_budget", "max": [2, 4, 8]},
    "methods": ["gradient", "optuna-tpe", "optuna-nsga2", "random"],
    "compute": {"trials_per_study": 8},
}


def _point(method: str, dice: random.Random, cost: float, accuracy: float | None) -> PointResult:
    allocation = _allocation(method, dice, cost)
    searched = costs(LAYERS, allocation, "searched")
    curve = 0.91 - 0.13 / searched["bit_budget"] ** 0.75 + GAIN[method]
    found = curve + dice.uniform(-0.004, 0.004) if accuracy is None else accuracy
    return PointResult(
        allocation=allocation.to_json(),
        costs={"searched": searched, "all": costs(LAYERS, allocation, "all")},
        cost_versions={name: COST_VERSIONS[name] for name in searched},
        rates={layer.name: [0.2] for layer in LAYERS},
        validation_accuracy=found,
        test_accuracy=found - 0.006 + dice.uniform(-0.003, 0.003),
        checkpoint="point-0.safetensors",
        checkpoint_sha256="0" * 64,
    )


def _allocation(method: str, dice: random.Random, cost: float) -> Allocation:
    """Layer bits whose mean Bw x mean Bs x mean T is close to the cost, and at most it."""
    if method == "uniform":
        spike = 1 if cost < 5 else 2
        bits = LayerBits.uniform(steps=1, spike_bits=spike, weight_bits=max(1, int(cost / spike)))
        return Allocation(layers={layer.name: bits for layer in LAYERS})
    bits_of = {layer.name: [1, 1] for layer in LAYERS}
    for _ in range(150):
        name, which = dice.choice(LAYERS).name, dice.randrange(2)
        bits_of[name][which] = min(bits_of[name][which] + 1, (8, 6)[which])
        if costs(LAYERS, _as_allocation(bits_of), "searched")["bit_budget"] > cost:
            bits_of[name][which] -= 1
    return _as_allocation(bits_of)


def _as_allocation(bits_of: dict[str, list[int]]) -> Allocation:
    steps = {name: 2 if name.startswith("stage3.2") else 1 for name in bits_of}
    return Allocation(
        layers={
            name: LayerBits.uniform(steps=steps[name], spike_bits=spike, weight_bits=weight)
            for name, (weight, spike) in bits_of.items()
        }
    )


def _epoch(point: PointResult, epoch: int, seed: int) -> EpochReport:
    """Bits that fall from many to the point's; seeds differ a little."""
    budget = point.costs["searched"]["bit_budget"]
    left = (EPOCHS - epoch) / EPOCHS
    bits = budget**0.5 + left * (3 + 0.3 * seed)
    return EpochReport(
        epoch=epoch,
        epochs=EPOCHS,
        samples=8_192 * epoch,
        seconds=11.0,
        learning_rate=0.001,
        train_loss=0.4,
        train_accuracy=point.validation_accuracy,
        validation_accuracy=point.validation_accuracy,
        budget_cost=budget,
        mean_weight_bits=bits,
        mean_spike_bits=bits - 0.5 * left,
        mean_steps=1.0 + left,
        layer_bits=_bits_then(point, EPOCHS - epoch),
        renewals={name: (epoch + place) % 4 for place, name in enumerate(point.allocation)},
    )


def _bits_then(point: PointResult, epochs_left: int) -> dict[str, Any]:
    """The bits of a point with some more weight bits in every other layer, the more the longer ago."""
    allocation = Allocation.from_json(point.allocation)
    return {
        name: replace(
            bits, channel_bits=None, weight_bits=min(8, bits.weight_bits + place % 2 * epochs_left // 2)
        ).to_json()
        for place, (name, bits) in enumerate(allocation)
    }
