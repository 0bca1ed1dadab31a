"""Costs of an allocation (design section 3): one package for every method, every page and every test.

    bit_budget   mean Bw * mean Bs * mean T; Bw weighted by weight count, Bs (averaged over steps) and T
                 by input element count
    s_ace        sum over layers of MACs * sum_t (Bs_t * Bw)
    ns_ace       s_ace, each layer times its measured nonzero spike rate (averaged over its steps)
    weight_kib   (weights * Bw + 32 * (1 + T + biases)) / 8192: weights, step sizes (one per weight tensor,
                 one per step of the neuron) and biases, the last two as 32-bit words; no 1 without weights,
                 and the number of output channels in place of 1 where each has a step size of its own
    spike_kib    max over layers of inputs * sum_t Bs_t / 8192
    sops         MACs * nonzero spikes, summed over steps
    cycles       of a bit-serial unit (models.cost.hardware)
    energy_uj    of the same unit, from a table of energies per operation
    table        sum over layers of a user's cost per (kind, T, Bs, Bw) (models.cost.table)

Where output channels have weight bits of their own, Bw is their mean: they have equally many weights.

A layer without weights is a row too: its steps and spike bits count. Where its spikes are multiplied with
those of a partner (attention), the partner's mean spike bits stand in place of Bw (decision 5).

Each may bound a search. `ns_ace` and `sops` of a point need rates measured on data; before training,
reference rates stand for them (models.cost.rates). The formulas work on numbers and on tensors alike, so that
the gradient method differentiates the very costs that are reported. What a cost takes beside bits and shapes
is its `CostBasis`, which a limit carries.
"""

from models.cost.bits import mean_bits
from models.cost.hardware import Energies, Hardware
from models.cost.layers import (
    WEIGHTLESS_BITS,
    LayerKind,
    LayerLoad,
    LayerShape,
    Number,
    Scope,
    in_scope,
    layer_loads,
    paired,
)
from models.cost.metrics import (
    BUDGET_METRICS,
    COST_VERSIONS,
    HARDWARE_METRICS,
    MEASURED_METRICS,
    STANDARD_BASIS,
    STATIC_METRICS,
    CostBasis,
    LayerCosts,
    Limit,
    costs,
    default_scope,
    layer_costs,
    limit_cost,
    static_cost,
    within,
)
from models.cost.rates import ReferenceRates
from models.cost.table import CostTable

__all__ = [
    "BUDGET_METRICS",
    "COST_VERSIONS",
    "HARDWARE_METRICS",
    "MEASURED_METRICS",
    "STANDARD_BASIS",
    "STATIC_METRICS",
    "WEIGHTLESS_BITS",
    "CostBasis",
    "CostTable",
    "Energies",
    "Hardware",
    "LayerCosts",
    "LayerKind",
    "LayerLoad",
    "LayerShape",
    "Limit",
    "Number",
    "ReferenceRates",
    "Scope",
    "costs",
    "default_scope",
    "in_scope",
    "layer_costs",
    "layer_loads",
    "limit_cost",
    "mean_bits",
    "paired",
    "static_cost",
    "within",
]
