"""Allocations: the integer steps T, spike bits Bs and weight bits Bw of each searched layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, Self

from models.errors import InvalidInputError

MAX_STEPS = 256
MAX_BITS = 16
WeightPer = Literal["layer", "channel"]
"""What has a weight bit width of its own: a layer, or each of its output channels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBits:
    """The bits of one layer: T steps, one spike bit width per step, one weight bit width.

    Where output channels have widths of their own, `channel_bits` holds them in order, and `weight_bits`
    their mean, rounded half up; costs take the mean itself.
    """

    steps: int
    spike_bits: tuple[int, ...]
    weight_bits: int
    channel_bits: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise InvalidInputError(f"steps is {self.steps}; it must be 1 to {MAX_STEPS}.")
        if len(self.spike_bits) != self.steps:
            raise InvalidInputError(
                f"{len(self.spike_bits)} spike bits for {self.steps} steps; give one per step."
            )
        if not all(
            1 <= bits <= MAX_BITS for bits in (*self.spike_bits, self.weight_bits, *(self.channel_bits or ()))
        ):
            raise InvalidInputError(f"bit widths must be 1 to {MAX_BITS}; got {self}.")
        if self.channel_bits is not None and self.weight_bits != _rounded_mean(self.channel_bits):
            raise InvalidInputError(
                f"{self.weight_bits} weight bits are not the mean of the channels' widths."
            )

    @classmethod
    def uniform(cls, *, steps: int, spike_bits: int, weight_bits: int) -> LayerBits:
        """The same spike bits at every step."""
        return cls(steps=steps, spike_bits=(spike_bits,) * steps, weight_bits=weight_bits)

    @property
    def mean_spike_bits(self) -> float:
        """Spike bits averaged over the steps."""
        return sum(self.spike_bits) / self.steps

    @property
    def mean_weight_bits(self) -> float:
        """Weight bits averaged over the output channels, which have equally many weights."""
        if self.channel_bits is None:
            return self.weight_bits
        return sum(self.channel_bits) / len(self.channel_bits)

    @property
    def weight_text(self) -> str:
        """The weight bits as people read them: the mean of channels to one decimal."""
        return str(self.weight_bits) if self.channel_bits is None else f"{self.mean_weight_bits:.1f}"

    def with_channels(self, channel_bits: Sequence[int]) -> Self:
        """The same steps and spike bits, with a weight bit width for each output channel."""
        return replace(self, channel_bits=tuple(channel_bits), weight_bits=_rounded_mean(channel_bits))

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, the form stored and sent; it names channels only where they have widths."""
        whole = {"steps": self.steps, "spike_bits": list(self.spike_bits), "weight_bits": self.weight_bits}
        return whole if self.channel_bits is None else {**whole, "channel_bits": list(self.channel_bits)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LayerBits:
        """The inverse of `to_json`."""
        channels = data.get("channel_bits")
        return cls(
            steps=data["steps"],
            spike_bits=tuple(data["spike_bits"]),
            weight_bits=data["weight_bits"],
            channel_bits=None if channels is None else tuple(channels),
        )


def _rounded_mean(widths: Sequence[int]) -> int:
    """The mean, rounded half up; 0, which is no width, where there are none."""
    return int(sum(widths) / len(widths) + 0.5) if widths else 0


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

    @property
    def weight_per(self) -> WeightPer:
        """What has a weight bit width of its own: channels as soon as those of one layer do."""
        return "layer" if all(bits.channel_bits is None for _, bits in self) else "channel"

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
    """Inclusive integer bounds of the weight bits, spike bits and steps of every searched layer.

    `weight_per` says what each weight bit width belongs to: it decides how many step sizes are stored.
    """

    weight: tuple[int, int] = (1, 8)
    spike: tuple[int, int] = (1, 6)
    steps: tuple[int, int] = (1, 4)
    weight_per: WeightPer = "layer"

    def least(self) -> LayerBits:
        """The cheapest layer bits within the bounds."""
        return LayerBits.uniform(steps=self.steps[0], spike_bits=self.spike[0], weight_bits=self.weight[0])

    def greatest(self) -> LayerBits:
        """The dearest layer bits within the bounds."""
        return LayerBits.uniform(steps=self.steps[1], spike_bits=self.spike[1], weight_bits=self.weight[1])
