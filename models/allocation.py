"""Allocations: the integer steps T, spike bits Bs and weight bits Bw of each searched layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from models.errors import InvalidInputError

MAX_STEPS = 256
MAX_BITS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBits:
    """The bits of one layer: T steps, one spike bit width per step, one weight bit width."""

    steps: int
    spike_bits: tuple[int, ...]
    weight_bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise InvalidInputError(f"steps is {self.steps}; it must be 1 to {MAX_STEPS}.")
        if len(self.spike_bits) != self.steps:
            raise InvalidInputError(
                f"{len(self.spike_bits)} spike bits for {self.steps} steps; give one per step."
            )
        if not all(1 <= bits <= MAX_BITS for bits in (*self.spike_bits, self.weight_bits)):
            raise InvalidInputError(f"bit widths must be 1 to {MAX_BITS}; got {self}.")

    @classmethod
    def uniform(cls, *, steps: int, spike_bits: int, weight_bits: int) -> LayerBits:
        """The same spike bits at every step."""
        return cls(steps=steps, spike_bits=(spike_bits,) * steps, weight_bits=weight_bits)

    @property
    def mean_spike_bits(self) -> float:
        """Spike bits averaged over the steps."""
        return sum(self.spike_bits) / self.steps

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, the form stored and sent."""
        return {"steps": self.steps, "spike_bits": list(self.spike_bits), "weight_bits": self.weight_bits}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LayerBits:
        """The inverse of `to_json`."""
        return cls(steps=data["steps"], spike_bits=tuple(data["spike_bits"]), weight_bits=data["weight_bits"])


FIRST_LAYER_BITS = LayerBits.uniform(steps=1, spike_bits=8, weight_bits=8)
"""Section 2: the first layer is fixed at 8/8 bits and one step unless it is searched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The layer bits of every searched layer, by layer name, in network order."""

    layers: Mapping[str, LayerBits]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def __hash__(self) -> int:
        return hash(frozenset(self.layers.items()))  # equal whatever the order, as == is

    def __reduce__(self) -> tuple[Any, ...]:
        return (_allocation, (dict(self.layers),))

    def __getitem__(self, name: str) -> LayerBits:
        return self.layers[name]

    def __iter__(self) -> Iterator[tuple[str, LayerBits]]:
        return iter(self.layers.items())

    def to_json(self) -> dict[str, Any]:
        """`{layer name: layer bits}`."""
        return {name: bits.to_json() for name, bits in self}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Allocation:
        """The inverse of `to_json`."""
        return cls(layers={name: LayerBits.from_json(bits) for name, bits in data.items()})


def _allocation(layers: dict[str, LayerBits]) -> Allocation:
    """Rebuild an allocation when it is unpickled (a mapping proxy cannot be pickled itself)."""
    return Allocation(layers=layers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Inclusive integer bounds of the weight bits, spike bits and steps of every searched layer."""

    weight: tuple[int, int] = (1, 8)
    spike: tuple[int, int] = (1, 6)
    steps: tuple[int, int] = (1, 4)

    def least(self) -> LayerBits:
        """The cheapest layer bits within the bounds."""
        return LayerBits.uniform(steps=self.steps[0], spike_bits=self.spike[0], weight_bits=self.weight[0])

    def greatest(self) -> LayerBits:
        """The dearest layer bits within the bounds."""
        return LayerBits.uniform(steps=self.steps[1], spike_bits=self.spike[1], weight_bits=self.weight[1])
