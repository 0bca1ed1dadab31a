"""Spike rates: measured ones, and those that stand for them before a network is trained.

    ns_ace    sum over layers of MACs * sum_t (Bs_t * Bw) * r      r the mean over steps of the nonzero rates
    sops      sum over layers of MACs * T * r                      the same as MACs * sum_t r_t

What a point costs follows from the rates r that are measured on its trained network. What an allocation
would cost has to be known before: there r is a reference rate of its layer, the same for every allocation. A
rate is at most 1, so with a reference of 1 no point costs more than was foreseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.cost.layers import LayerLoad, Number
from models.errors import InvalidInputError

LEAST_RATE = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceRates:
    """Rates by layer name; layers without one have rate 1."""

    layers: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for name, rate in self.layers:
            if not 0 < rate <= 1:
                raise InvalidInputError(
                    f"the reference rate of {name} is {rate}.", fix="Use a rate above 0, at most 1."
                )

    @classmethod
    def measured(cls, rates: Mapping[str, float]) -> ReferenceRates:
        """Rates as a network has them; of a layer that never fires, as good as none."""
        return cls(layers=tuple((name, min(1.0, max(rate, LEAST_RATE))) for name, rate in rates.items()))

    def of(self, name: str) -> float:
        """The rate of a layer."""
        return dict(self.layers).get(name, 1.0)


ALL_SPIKE = ReferenceRates()


def ns_ace(loads: Sequence[LayerLoad], rates: ReferenceRates) -> Number:
    """Bit operations on spikes that are not zero, at reference rates."""
    return sum(load.shape.macs * load.bit_operations * rates.of(load.shape.name) for load in loads)


def sops(loads: Sequence[LayerLoad], rates: ReferenceRates) -> Number:
    """Multiply-accumulates with spikes that are not zero, at reference rates."""
    return sum(load.shape.macs * load.steps * rates.of(load.shape.name) for load in loads)


def measured_costs(loads: Sequence[LayerLoad], rates: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Both at the rates that were measured for each layer and step."""
    return {
        "ns_ace": sum(
            load.shape.macs * load.bit_operations * _mean(rates[load.shape.name]) for load in loads
        ),
        "sops": sum(load.shape.macs * sum(rates[load.shape.name]) for load in loads),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
