"""What to search next where no point keeps some limits: the change of a job that would.

An allocation that costs the least in one metric costs the least in all, so an architecture can keep the
limits together if and only if its least allocation keeps each. Changes are tried in this order, and the first
under which some architecture of the job can keep all of them is advised:

    search           the limits alone, as the job's budget and constraints
    widen_bits       bits of weights and spikes and steps from 1 on
    include_first    the same, with the first layer searched too
    smaller_network  none of these: the network itself costs too much
    reference_rates  nothing can be told: all limits are on measured costs, below what the job foresees

A measured cost (`ns_ace`, `sops`) is known only once a network is trained. Where even the least allocation is
over such a limit at the job's reference rates, the limit is neither reachable for sure nor out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from models.allocation import Bounds
from models.cost import MEASURED_METRICS, LayerShape, Limit, limit_cost
from models.errors import InvalidInputError
from models.repair import least_allocation
from search.architecture import Chosen
from search.fit import Change
from search.job import JobSpec

Tables = Mapping[Chosen, Sequence[LayerShape]]
"""The layer table of every architecture of a job."""
MOST_CONSTRAINTS = 8
MOST_TRIALS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The least that any allocation of the job's space costs by a limit's metric, on any architecture.

    `achievable` is None for a measured cost that is only too high at the reference rates.
    """

    limit: Limit
    least: float
    achievable: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """A change of the job, as a merge patch of its spec; None where no change of it would do.

    `unforeseen` are the limits on measured costs that the patch leaves out, since the job would be refused.
    """

    change: Change
    patch: Mapping[str, Any] | None
    unforeseen: tuple[Limit, ...] = ()


def reaches(spec: JobSpec, tables: Tables, limits: Sequence[Limit]) -> list[Reach]:
    """How low each limit's cost can go within the job's own bounds."""
    return [_reach(limit, tables, spec.bits.bounds()) for limit in limits]


def advice(spec: JobSpec, tables: Tables, limits: Sequence[Limit]) -> Advice:
    """What to change so that a search can find points that keep all limits."""
    unforeseen = tuple(one.limit for one in reaches(spec, tables, limits) if one.achievable is None)
    firm = [limit for limit in limits if limit not in unforeseen]
    if not firm:
        return Advice(change="reference_rates", patch=None, unforeseen=unforeseen)
    least_bits = _bounds_from_one(spec)
    if _together(tables, spec.bits.bounds(), firm):
        return _search(spec, firm, unforeseen)
    widened = {name: list(getattr(least_bits, name)) for name in ("weight", "spike", "steps")}
    if _together(tables, least_bits, firm):
        patch = {"bits": widened, **_limits_patch(spec, firm)}
        return Advice(change="widen_bits", patch=patch, unforeseen=unforeseen)
    if _together(_all_searched(tables), least_bits, firm):
        bits = {**widened, "search_first_layer": True}
        patch = {"bits": bits, **_limits_patch(spec, firm)}
        return Advice(change="include_first", patch=patch, unforeseen=unforeseen)
    return Advice(change="smaller_network", patch=None, unforeseen=unforeseen)


def _search(spec: JobSpec, limits: Sequence[Limit], unforeseen: tuple[Limit, ...]) -> Advice:
    """The job under these limits, or with more trials where it has searched under them already."""
    patch = _limits_patch(spec, limits)
    changed = {name: value for name, value in patch.items() if not _has(spec, name, value)}
    if changed:
        return Advice(change="search", patch=changed, unforeseen=unforeseen)
    trials = min(2 * spec.compute.trials_per_study, MOST_TRIALS)
    patch = {"compute": {"trials_per_study": trials}}
    return Advice(change="more_trials", patch=patch, unforeseen=unforeseen)


def _has(spec: JobSpec, name: str, value: Any) -> bool:
    """Whether the job says so already."""
    stored = spec.to_json()[name]
    if name == "budget":
        return bool(sorted(stored["max"]) == value["max"])
    plain = [{key: one for key, one in entry.items() if one is not None} for entry in stored]
    return len(plain) == len(value) and all(entry in plain for entry in value)


def _limits_patch(spec: JobSpec, limits: Sequence[Limit]) -> dict[str, Any]:
    """The fields that make the limits those of the job: its budget where one is on that, else constraints."""
    budget = spec.budgets()[-1]
    patch: dict[str, Any] = {}
    wanted = {(limit.metric, limit.scope): limit.maximum for limit in limits}
    top = wanted.pop((budget.metric, budget.scope), None)
    if top is not None:
        below = [one.maximum for one in spec.budgets() if one.maximum < top]
        patch["budget"] = {"max": [*below, top]}
    for one in spec.constraint_limits():
        key = (one.metric, one.scope)
        wanted[key] = min(wanted.get(key, one.maximum), one.maximum)
    constraints = [_constraint(spec, *key, maximum) for key, maximum in wanted.items()]
    return patch | ({"constraints": constraints[:MOST_CONSTRAINTS]} if constraints else {})


def _constraint(spec: JobSpec, metric: str, scope: str, maximum: float) -> dict[str, Any]:
    usual = spec.limit(metric, maximum).scope
    return {"metric": metric, "max": maximum} | ({} if scope == usual else {"scope": scope})


def _reach(limit: Limit, tables: Tables, bounds: Bounds) -> Reach:
    least = min(_least(limit, layers, bounds) for layers in tables.values())
    kept = least <= limit.maximum
    unknown = not kept and limit.metric in MEASURED_METRICS
    return Reach(limit=limit, least=least, achievable=None if unknown else kept)


def _together(tables: Tables, bounds: Bounds, limits: Sequence[Limit]) -> bool:
    """Whether one architecture can keep all limits."""
    return any(
        all(_least(limit, layers, bounds) <= limit.maximum for limit in limits) for layers in tables.values()
    )


def _least(limit: Limit, layers: Sequence[LayerShape], bounds: Bounds) -> float:
    """Infinite where a cost table has no entry for bits that the job does not search yet."""
    try:
        return limit_cost(limit, layers, least_allocation(layers, bounds))
    except InvalidInputError:
        return inf


def _bounds_from_one(spec: JobSpec) -> Bounds:
    own = spec.bits
    return Bounds(weight=(1, own.weight[1]), spike=(1, own.spike[1]), steps=(1, own.steps[1]))


def _all_searched(tables: Tables) -> Tables:
    return {chosen: [replace(layer, fixed=None) for layer in layers] for chosen, layers in tables.items()}
