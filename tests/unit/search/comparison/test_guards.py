"""Guards against self-deception: whole searches with made-up trainings whose truth is known.

The strategies are the real ones. What a training gives is made up: an accuracy that follows from the
allocation by a rule, and noise that follows from method, seed and trial.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from models.allocation import Allocation, Bounds
from models.cost import LayerShape, Limit, limit_cost
from models.repair import fit
from models.wish import LayerWish
from search.comparison import Comparison, Found, StudyRecord, compare
from search.strategies import make_strategy
from search.strategy import FixedBits, LearnBits, Proposal, StudyContext, TrialResult

METHODS = ("gradient", "optuna-nsga2", "random", "uniform")
SEEDS = range(5)
SAMPLES = 100
LAYERS = tuple(
    LayerShape(name=f"conv{place}", kind="conv", macs=1_000, weights=64, inputs=64, biases=4)
    for place in range(6)
)
CONTEXT = StudyContext(
    layers=LAYERS,
    bounds=Bounds(steps=(1, 1)),
    budgets=tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 4.0, 8.0)),
    constraints=(),
    seed=0,
    trials=12,
)
MATTER = ("conv2", "conv3")


def flat(_: Allocation) -> float:
    """Every allocation is as good as any other."""
    return 0.9


def middle_layers_matter(allocation: Allocation) -> float:
    """Bits of the two layers in the middle raise accuracy, those of the others do next to nothing."""
    bits = [layer.mean_weight_bits * layer.mean_spike_bits for _, layer in allocation]
    gains = (0.15 if name in MATTER else 0.005 for name in allocation.layers)
    return 0.6 + sum(gain * (1 - 0.8**b) for gain, b in zip(gains, bits, strict=True))


def knowing(context: StudyContext, proposal: LearnBits) -> Allocation:
    """Learns where bits belong."""
    return _fitted(context, proposal, wished=6.0)


def handicapped(context: StudyContext, proposal: LearnBits) -> Allocation:
    """Learns nothing: it wishes for the same bits everywhere."""
    return _fitted(context, proposal, wished=1.0)


def _fitted(context: StudyContext, proposal: LearnBits, *, wished: float) -> Allocation:
    bits = {layer.name: wished if layer.name in MATTER else 1.0 for layer in context.layers}
    wish = {name: LayerWish(steps=1.0, spike_bits=(b,), weight_bits=b) for name, b in bits.items()}
    return fit(wish, context.layers, context.bounds, (proposal.budget,))


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """What trainings give: the accuracy of an allocation, what gradients learn, and the noise on top."""

    truth: Callable[[Allocation], float]
    learn: Callable[[StudyContext, LearnBits], Allocation]
    noise: float

    def train(
        self, proposal: Proposal, context: StudyContext, dice: random.Random
    ) -> tuple[Allocation, list[float]]:
        """An allocation, and two measurements of its accuracy."""
        allocation = proposal.allocation if isinstance(proposal, FixedBits) else self.learn(context, proposal)
        middle = self.truth(allocation)
        return allocation, [middle + dice.gauss(0, self.noise) for _ in range(2)]


def search(method: str, seed: int, world: World) -> StudyRecord:
    """A whole study in a world."""
    context = replace(CONTEXT, seed=seed)
    strategy = make_strategy(method, context)
    found: list[Found] = []
    while proposals := strategy.ask():
        results = []
        for proposal in proposals:
            dice = random.Random(f"{method}/{seed}/{len(found)}")  # noqa: S311 - made-up noise, not a secret
            allocation, (validation, test) = world.train(proposal, context, dice)
            cost = limit_cost(context.budgets[0], context.layers, allocation)
            samples = (len(found) + 1) * SAMPLES
            found.append(Found(samples=samples, cost=cost, score=validation, test_score=test))
            results.append(TrialResult(proposal=proposal, allocation=allocation, score=validation, cost=cost))
        strategy.tell(results)
    return StudyRecord(
        method=method,
        seed=seed,
        share=CONTEXT.trials * SAMPLES,
        samples=len(found) * SAMPLES,
        seconds=1.0,
        device_seconds=0.0,
        finished=True,
        found=tuple(found),
    )


def compared(world: World) -> Comparison:
    """All methods and seeds in a world."""
    studies = [search(method, seed, world) for method in METHODS for seed in SEEDS]
    return compare(studies, budgets=[2, 4, 8], subject="gradient")


def test_where_all_allocations_are_equal_nobody_wins() -> None:
    found = compared(World(truth=flat, learn=knowing, noise=0.01))
    assert found.refusal is None
    assert [pair.outcome for pair in found.pairs] == ["undecided"] * 3
    assert found.verdict.startswith("No verdict on gradient against optuna-nsga2")


def test_learning_where_bits_belong_wins() -> None:
    found = compared(World(truth=middle_layers_matter, learn=knowing, noise=0.003))
    assert [pair.outcome for pair in found.pairs] == ["better"] * 3
    assert found.verdict.startswith("gradient beats optuna-nsga2")


def test_a_handicapped_search_no_longer_wins() -> None:
    """It still beats uniform, whose costs are few, but no method that searches."""
    found = compared(World(truth=middle_layers_matter, learn=handicapped, noise=0.003))
    outcomes = {pair.against: pair.outcome for pair in found.pairs}
    assert outcomes["optuna-nsga2"] == outcomes["random"] == "undecided"
    assert found.verdict.startswith("gradient beats uniform (")
    assert "; no verdict on gradient against optuna-nsga2" in found.verdict
