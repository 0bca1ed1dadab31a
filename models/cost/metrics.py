"""The cost metrics by name, and limits on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.allocation import Allocation
from models.cost.bits import bit_budget, layer_spike_kib, layer_weight_kib, s_ace, spike_kib, weight_kib
from models.cost.hardware import STANDARD_HARDWARE, Hardware, LayerCycles, layer_energy_uj, utilisation
from models.cost.layers import LayerLoad, LayerShape, Number, Scope, layer_loads
from models.cost.rates import ALL_SPIKE, ReferenceRates, measured_costs, ns_ace, sops
from models.cost.table import CostTable
from models.errors import UnknownNameError

COST_VERSIONS: Mapping[str, int] = {
    "bit_budget": 1,
    "s_ace": 1,
    "ns_ace": 1,
    "weight_kib": 1,
    "spike_kib": 1,
    "sops": 1,
    "cycles": 1,
    "energy_uj": 1,
    "table": 1,
}
MEASURED_METRICS = frozenset({"ns_ace", "sops"})
"""What a point costs by these is measured; a limit on them is kept at reference rates, then checked."""
BUDGET_METRICS = tuple(COST_VERSIONS)
STATIC_METRICS = tuple(name for name in BUDGET_METRICS if name not in {*MEASURED_METRICS, "table"})
"""What every allocation has a cost by before it is trained; `table` needs a table."""
HARDWARE_METRICS = frozenset({"cycles", "energy_uj"})
WHOLE_NETWORK = frozenset({"weight_kib", "spike_kib", *HARDWARE_METRICS})


@dataclass(frozen=True, kw_only=True, slots=True)
class CostBasis:
    """What costs are computed with beside bits and shapes: hardware, a table if any, and reference rates."""

    hardware: Hardware = STANDARD_HARDWARE
    table: CostTable | None = None
    rates: ReferenceRates = ALL_SPIKE


STANDARD_BASIS = CostBasis()


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """An upper bound on one cost metric: a budget or a constraint."""

    metric: str
    maximum: float
    scope: Scope = "searched"
    basis: CostBasis = STANDARD_BASIS

    def to_json(self) -> dict[str, Any]:
        """The stored form, without its basis: that is the same for all limits of a job."""
        return {"metric": self.metric, "maximum": self.maximum, "scope": self.scope}

    def at_rates(self, rates: Mapping[str, float] | None) -> Limit:
        """The same at measured rates, the mean over steps of each layer; itself where there are none."""
        if rates is None:
            return self
        return replace(self, basis=replace(self.basis, rates=ReferenceRates.measured(rates)))

    def cost(self, loads: Sequence[LayerLoad]) -> Number:
        """The cost that it bounds, of the loads of its scope; differentiable when they hold tensors."""
        return static_cost(self.metric, loads, self.basis)


def default_scope(metric: str) -> Scope:
    """Memory and hardware are about the whole network; every other metric follows the paper's layers."""
    return "all" if metric in WHOLE_NETWORK else "searched"


def costs(
    layers: Sequence[LayerShape],
    allocation: Allocation,
    scope: Scope = "searched",
    rates: Mapping[str, Sequence[float]] | None = None,
    basis: CostBasis = STANDARD_BASIS,
) -> dict[str, float]:
    """Every cost metric of an allocation.

    `rates` maps a layer name to its nonzero spike rate at each step; the measured metrics are left out
    without it, and `table` where the basis has no table with entries for all layers of the scope. Raises
    InvalidInputError when the allocation names other layers than the table.
    """
    loads = layer_loads(layers, allocation, scope)
    found = {name: float(static_cost(name, loads, basis)) for name in STATIC_METRICS}
    if basis.table is not None and basis.table.covers(loads):
        found["table"] = float(static_cost("table", loads, basis))
    return found if rates is None else found | measured_costs(loads, rates)


def static_cost(metric: str, loads: Sequence[LayerLoad], basis: CostBasis = STANDARD_BASIS) -> Number:
    """One cost as it is known before training; differentiable when the loads hold tensors."""
    if metric not in STATIC_COSTS:
        raise UnknownNameError(
            f"{metric!r} cannot bound a search.", fix=f"Use one of {', '.join(BUDGET_METRICS)}."
        )
    return STATIC_COSTS[metric](loads, basis)


def limit_cost(limit: Limit, layers: Sequence[LayerShape], allocation: Allocation) -> float:
    """The cost that a limit bounds."""
    return float(limit.cost(layer_loads(layers, allocation, limit.scope)))


def within(limits: Sequence[Limit], layers: Sequence[LayerShape], allocation: Allocation) -> bool:
    """Whether an allocation keeps every limit."""
    return all(limit_cost(limit, layers, allocation) <= limit.maximum for limit in limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerCosts:
    """What one layer costs with whole bits; `table` is None without a table that has an entry for it."""

    name: str
    searched: bool
    s_ace: float
    compute_cycles: float
    memory_cycles: float
    cycles: float
    utilisation: float
    energy_uj: float
    weight_kib: float
    spike_kib: float
    table: float | None


def layer_costs(
    layers: Sequence[LayerShape], allocation: Allocation, basis: CostBasis = STANDARD_BASIS
) -> list[LayerCosts]:
    """The costs of every layer of the table by itself. Raises InvalidInputError as `costs` does."""
    return [_layer_costs(load, basis) for load in layer_loads(layers, allocation, "all")]


def _layer_costs(load: LayerLoad, basis: CostBasis) -> LayerCosts:
    cycles = LayerCycles.of(load, basis.hardware)
    table = basis.table
    return LayerCosts(
        name=load.shape.name,
        searched=load.shape.fixed is None,
        s_ace=float(s_ace([load])),
        compute_cycles=float(cycles.compute),
        memory_cycles=float(cycles.memory),
        cycles=float(cycles.total),
        utilisation=utilisation(load, basis.hardware),
        energy_uj=float(layer_energy_uj(load, basis.hardware)),
        weight_kib=float(layer_weight_kib(load)),
        spike_kib=float(layer_spike_kib(load)),
        table=float(table.cost([load])) if table is not None and table.covers([load]) else None,
    )


def _cycles(loads: Sequence[LayerLoad], basis: CostBasis) -> Number:
    return sum(LayerCycles.of(load, basis.hardware).total for load in loads)


def _energy_uj(loads: Sequence[LayerLoad], basis: CostBasis) -> Number:
    return sum(layer_energy_uj(load, basis.hardware) for load in loads)


def _table(loads: Sequence[LayerLoad], basis: CostBasis) -> Number:
    if basis.table is None:
        raise UnknownNameError("there is no table to cost by.", fix="Give the job a cost_table.")
    return basis.table.cost(loads)


StaticCost = Callable[[Sequence[LayerLoad], CostBasis], Number]


def _of_bits(formula: Callable[[Sequence[LayerLoad]], Number]) -> StaticCost:
    return lambda loads, _: formula(loads)


STATIC_COSTS: Mapping[str, StaticCost] = {
    "bit_budget": _of_bits(bit_budget),
    "s_ace": _of_bits(s_ace),
    "weight_kib": _of_bits(weight_kib),
    "spike_kib": _of_bits(spike_kib),
    "cycles": _cycles,
    "energy_uj": _energy_uj,
    "table": _table,
    "ns_ace": lambda loads, basis: ns_ace(loads, basis.rates),
    "sops": lambda loads, basis: sops(loads, basis.rates),
}
