"""The search space as flat integers, and the one way from a sample to an allocation within its limits.

Every searched layer has three parameters: `<layer>.steps`, `<layer>.spike_bits` (one width for all its
steps) and `<layer>.weight_bits`, the last only where it has weights. A sample over its budget is scaled
down, repaired and then spent (models.repair), so no black-box method trains an allocation over budget.
Repair may give the steps of a layer different spike bits; as a parameter they are their rounded mean.

With a search space there is a parameter `architecture/<setting>` before them for each setting: the place of
its value in the list, from 0. Layers may differ between architectures: the parameters are those of the union
of their layers, and building an allocation looks only at those of the layers that its architecture has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import WEIGHTLESS_BITS, LayerShape, Limit, in_scope
from models.repair import fit, shrink
from models.repair import uniform_allocation as held_uniform
from models.wish import LayerWish
from search.architecture import Chosen, space_of
from search.strategy import StudyContext

Parameters = Mapping[str, int]
"""One integer per parameter name."""

STEPS, SPIKE_BITS, WEIGHT_BITS = "steps", "spike_bits", "weight_bits"
SETTING = "architecture/"
"""How the parameter of a setting begins; no layer has a name with a slash."""


def searched_layers(context: StudyContext) -> tuple[str, ...]:
    """The names of the layers whose bits are searched, in network order."""
    return tuple(layer.name for layer in in_scope(context.layers, "searched"))


def parameter_bounds(context: StudyContext) -> dict[str, tuple[int, int]]:
    """The inclusive bounds of every parameter: settings, then bits in network order."""
    return space_bounds(context.architectures, context.bounds)


def setting_bounds(architectures: Collection[Chosen]) -> dict[str, tuple[int, int]]:
    """The inclusive bounds of the places of every setting."""
    space = space_of(architectures)
    return {f"{SETTING}{name}": (0, len(values) - 1) for name, values in space.items()}


def space_bounds(
    architectures: Mapping[Chosen, Sequence[LayerShape]], bounds: Bounds
) -> dict[str, tuple[int, int]]:
    """The bounds of every parameter from the layer tables, before there is a study."""
    found = setting_bounds(architectures)
    for layers in architectures.values():
        found |= _bit_bounds(layers, bounds)
    return found


def chosen_by(values: Parameters, context: StudyContext) -> Chosen:
    """The architecture that parameters name."""
    space = space_of(context.architectures)
    return tuple((name, space[name][values[f"{SETTING}{name}"]]) for name in space)


def places_of(chosen: Chosen, context: StudyContext) -> dict[str, int]:
    """The parameters of an architecture; the inverse of `chosen_by`."""
    space = space_of(context.architectures)
    return {f"{SETTING}{name}": space[name].index(value) for name, value in chosen}


def unused(values: Parameters, context: StudyContext) -> dict[str, int]:
    """The parameters of layers that the one architecture of a context lacks."""
    used = _bit_bounds(context.layers, context.bounds)
    return {name: value for name, value in values.items() if name not in used and SETTING not in name}


def _bit_bounds(layers: Sequence[LayerShape], bounds: Bounds) -> dict[str, tuple[int, int]]:
    each = {STEPS: bounds.steps, SPIKE_BITS: bounds.spike, WEIGHT_BITS: bounds.weight}
    return {
        f"{layer.name}.{knob}": each[knob]
        for layer in in_scope(layers, "searched")
        for knob in each
        if knob != WEIGHT_BITS or layer.weights
    }


def to_parameters(allocation: Allocation) -> dict[str, int]:
    """The parameters nearest to an allocation (spike bits: their mean, rounded half up)."""
    return dict(_parameters(allocation))


def to_allocation(values: Parameters, context: StudyContext) -> Allocation:
    """The allocation that parameters name, whatever it costs."""
    return Allocation(layers={layer: _layer_bits(values, layer) for layer in searched_layers(context)})


def uniform_allocation(context: StudyContext, bits: LayerBits) -> Allocation:
    """The same bits in every searched layer."""
    return held_uniform(context.layers, bits)


def limits_under(context: StudyContext, budget: Limit) -> tuple[Limit, ...]:
    """Everything that an allocation for a budget has to keep: the budget and every constraint."""
    return (budget, *context.constraints)


def constrain_sample(values: Parameters, context: StudyContext, budget: Limit) -> Allocation:
    """Bring a sample under a budget and the constraints, then use what slack is left.

    Raises InfeasibleError when no allocation of the space keeps them.
    """
    layers, bounds, limits = context.layers, context.bounds, limits_under(context, budget)
    wish = {layer: _wish(values, layer, bounds) for layer in searched_layers(context)}
    return fit(shrink(wish, layers, bounds, limits), layers, bounds, limits)


def _parameters(allocation: Allocation) -> Iterator[tuple[str, int]]:
    for layer, bits in allocation:
        yield f"{layer}.{STEPS}", bits.steps
        yield f"{layer}.{SPIKE_BITS}", int(bits.mean_spike_bits + 0.5)
        yield f"{layer}.{WEIGHT_BITS}", bits.weight_bits


def _layer_bits(values: Parameters, layer: str) -> LayerBits:
    return LayerBits.uniform(
        steps=values[f"{layer}.{STEPS}"],
        spike_bits=values[f"{layer}.{SPIKE_BITS}"],
        weight_bits=values.get(f"{layer}.{WEIGHT_BITS}", WEIGHTLESS_BITS),
    )


def _wish(values: Parameters, layer: str, bounds: Bounds) -> LayerWish:
    spike_bits = (float(values[f"{layer}.{SPIKE_BITS}"]),) * bounds.steps[1]
    return LayerWish(
        steps=values[f"{layer}.{STEPS}"],
        spike_bits=spike_bits,
        weight_bits=values.get(f"{layer}.{WEIGHT_BITS}", WEIGHTLESS_BITS),
    )
