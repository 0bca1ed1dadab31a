"""The variants of each group of an ablation.

For a budget b let (T_b, Bs_b, Bw_b) be the dearest uniform bits with cost(T_b, Bs_b, Bw_b) <= b, which the
method `uniform` trains. A variant that learns a subset S of {T, Bs, Bw} keeps every other one, x, at x_b.
Since x_b belongs to a budget, such a variant has a job for each budget; the others have one for all budgets.
Every variant trains once per budget and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from models.allocation import Bounds, LayerBits
from models.cost import LayerShape, Limit
from models.errors import InfeasibleError
from models.repair import check_feasible
from search.job import JobSpec
from search.strategies.uniform import UniformSearch
from search.strategy import FixedBits, StudyContext

GroupKey = Literal["learned", "renewal", "steps", "targets"]
LONGEST_NAME, LONGEST_BASE = 64, 36
KINDS = ("steps", "spike", "weight")
WORDS: Mapping[str, str] = {"steps": "time steps", "spike": "spike bits", "weight": "weight bits"}
FIXED_STEPS = (1, 2)
"""The time steps that learned ones are compared with; learned ones seldom exceed them."""
Changes = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One line of an ablation: `jobs` share out its budgets, and `method` is the one whose results count."""

    group: GroupKey
    name: str
    description: str
    method: str
    jobs: tuple[JobSpec, ...]


def uniform_bits(job: JobSpec, layers: Sequence[LayerShape], budget: Limit) -> LayerBits:
    """The dearest uniform bits within a budget and the job's constraints.

    Raises InfeasibleError where there are none.
    """
    context = StudyContext(
        layers=layers,
        bounds=job.bits.bounds(),
        budgets=(budget,),
        constraints=job.constraint_limits(),
        seed=0,
        trials=1,
    )
    for proposal in UniformSearch(context).ask():
        assert isinstance(proposal, FixedBits)  # noqa: S101 - uniform proposes nothing else
        return next(bits for _, bits in proposal.allocation)
    raise InfeasibleError(f"no uniform bits keep {budget.metric} within {budget.maximum:g}.")


def _learned(base: JobSpec, layers: Sequence[LayerShape]) -> Iterator[Variant]:
    yield Variant(
        group="learned",
        name="fixed",
        description="Nothing is learned: the same bits in every layer, as many as the budget pays for.",
        method="uniform",
        jobs=(_changed(base, "fixed", {"methods": ["uniform"]}),),
    )
    for kind in KINDS:
        others = " and ".join(WORDS[other] for other in KINDS if other != kind)
        yield Variant(
            group="learned",
            name=f"{WORDS[kind]} alone",
            description=f"Only the {WORDS[kind]} are learned; {others} are those of the fixed bits.",
            method="gradient",
            jobs=tuple(_learning_alone(base, layers, kind)),
        )
    yield _all_learned(base, "learned", "all together", "Time steps, spike bits and weight bits are learned.")


def _learning_alone(base: JobSpec, layers: Sequence[LayerShape], kind: str) -> Iterator[JobSpec]:
    for budget in base.budgets():
        bits = uniform_bits(base, layers, budget)
        known = {"steps": bits.steps, "spike": bits.spike_bits[0], "weight": bits.weight_bits}
        held = {name: value for name, value in known.items() if name != kind}
        yield _holding(base, f"only-{kind}", budget, held)


def _renewal(base: JobSpec, layers: Sequence[LayerShape]) -> Iterator[Variant]:
    descriptions = {
        "none": "A step size stays as it is when its bits change.",
        "closed_form": "A step size is scaled by Q_old/Q_new when its bits change: the clipping range stays.",
        "search": "A step size is searched anew, for the least p-norm error, when its bits change.",
    }
    for name, description in descriptions.items():
        changes = {"methods": ["gradient"], "training": {"renewal": name}}
        job = _changed(base, f"renewal-{name}", changes)
        yield Variant(
            group="renewal",
            name=name.replace("_", " "),
            description=description,
            method="gradient",
            jobs=(job,),
        )


def _steps(base: JobSpec, layers: Sequence[LayerShape]) -> Iterator[Variant]:
    for steps in FIXED_STEPS:
        yield Variant(
            group="steps",
            name=f"T = {steps}",
            description=f"Every layer has T = {steps}; spike bits and weight bits are learned.",
            method="gradient",
            jobs=tuple(_with_fixed_steps(base, layers, steps)),
        )
    yield _all_learned(base, "steps", "T learned", "Each layer learns its T beside its bits.")


def _with_fixed_steps(base: JobSpec, layers: Sequence[LayerShape], steps: int) -> Iterator[JobSpec]:
    bounds = base.bits.bounds()
    if not bounds.steps[0] <= steps <= bounds.steps[1]:
        return
    for budget in base.budgets():
        held = replace(bounds, steps=(steps, steps), weight_per=base.bits.weight_per)
        if _reachable(base, layers, held, budget):
            yield _holding(base, f"steps-{steps}", budget, {"steps": steps})


def _targets(base: JobSpec, layers: Sequence[LayerShape]) -> Iterator[Variant]:
    descriptions = {
        "gradient": ("one budget", "One budget on the cost itself; the network trades T, Bs and Bw."),
        "gradient-targets": ("three targets", "The paper's penalties: a target each for mean T, Bs and Bw."),
    }
    for method, (name, description) in descriptions.items():
        job = _changed(base, method, {"methods": [method]})
        yield Variant(group="targets", name=name, description=description, method=method, jobs=(job,))


MAKERS: Mapping[GroupKey, Callable[[JobSpec, Sequence[LayerShape]], Iterator[Variant]]] = {
    "learned": _learned,
    "renewal": _renewal,
    "steps": _steps,
    "targets": _targets,
}


def _all_learned(base: JobSpec, group: GroupKey, name: str, description: str) -> Variant:
    changes = {"methods": ["gradient"], "bits": {"learn": list(KINDS)}}
    job = _changed(base, "all-learned", changes)
    return Variant(group=group, name=name, description=description, method="gradient", jobs=(job,))


def trained_once(job: JobSpec) -> JobSpec:
    """The job with one trial per budget and seed."""
    return _merged(job, {"compute": {"trials_per_study": len(job.budget.max)}})


def _holding(base: JobSpec, label: str, budget: Limit, held: Mapping[str, int]) -> JobSpec:
    """A job for one budget in which some kinds of bits are held and the others learned."""
    changes = {
        "methods": ["gradient"],
        "budget": {"max": [budget.maximum]},
        "bits": {"learn": [kind for kind in KINDS if kind not in held], "initial": dict(held)},
        "compute": {"trials_per_study": 1},
    }
    return _changed(base, f"{label}.{budget.maximum:g}".replace("+", ""), changes)


def _reachable(job: JobSpec, layers: Sequence[LayerShape], bounds: Bounds, budget: Limit) -> bool:
    try:
        check_feasible(layers, bounds, [budget, *job.constraint_limits()])
    except InfeasibleError:
        return False
    return True


def _changed(base: JobSpec, label: str, changes: Changes) -> JobSpec:
    name = f"{base.name[:LONGEST_BASE]}.{label}"[:LONGEST_NAME]
    return _merged(base, {**changes, "name": name})


def _merged(base: JobSpec, changes: Changes) -> JobSpec:
    """A job with some fields changed; the fields of a part that are not named stay."""
    return JobSpec.model_validate(_with(base.to_json(), changes))


def _with(whole: Changes, changes: Changes) -> dict[str, Any]:
    found = dict(whole)
    for name, value in changes.items():
        below = found.get(name)
        found[name] = (
            _with(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return found
