"""The graph of an integer network: named nodes in the order in which they run, each with earlier inputs.

Values on edges are currents, whole numbers in units of 2^-F, [B, ...] for images and [frames, B, ...] for
event data. Shapes below are those of one frame of one sample.

    conv, linear, spikes   a neuron, then an operator on its integer spikes (spikes: none, they are added up)
    operand                a neuron alone, on maps; its edge carries the integer spikes of all steps, which
                           only `attention` reads
    attention              sums of products q k^T v of the spikes of three operands, head by head
    add                    branch + shortcut; the frames of the shortcut are regrouped to those of the branch
    subsample              every stride-th pixel, and `added` channels of zeros behind the others
    mean_pool, max_pool    windows over maps, clipped at the border; the mean is over what a window holds
    map_mean               the mean of each map, [C, H, W] to [C]
    flatten, relu          [C, H, W] to [C H W]; max(0, x)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

Pair = tuple[int, int]
LayerOp = Literal["conv", "linear", "spikes", "operand"]
PoolOp = Literal["mean_pool", "max_pool"]
PlainOp = Literal["map_mean", "flatten", "relu"]
INPUT = "input"
"""The name of the edge that samples come in by; no node has it."""
MAP_DIMS = 4
"""Of a batch of maps, [B, C, H, W], which the engine keeps channels-last."""
LEAK_BITS = 30
NO_LEAK = 2**LEAK_BITS
"""A leak of 1, in units of 2^-LEAK_BITS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """How a convolution moves over a map."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerNode:
    """A neuron of T steps and its operator.

    `weight_bits` holds one width, or one per output channel; it and `weight_shape` are empty without weights.
    `leak` is in units of 2^-LEAK_BITS; `shifted` says whether the neuron has threshold shifts.
    """

    name: str
    op: LayerOp
    source: str
    steps: int
    spike_bits: tuple[int, ...]
    signed: bool
    searched: bool
    weight_bits: tuple[int, ...] = ()
    weight_shape: tuple[int, ...] = ()
    geometry: Geometry = field(default_factory=Geometry)
    leak: int = NO_LEAK
    shifted: bool = False

    @property
    def channels(self) -> int:
        """Entries of a row of multipliers: output channels, or 1 without weights."""
        return self.weight_shape[0] if self.weight_shape else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AddNode:
    """A residual sum."""

    name: str
    branch: str
    shortcut: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionNode:
    """Attention without softmax between the pixels of maps [D, H, W], in `heads` heads of D / heads channels.

    It adds up `terms` products of one step of each operand.
    """

    name: str
    query: str
    key: str
    value: str
    heads: int
    terms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SubsampleNode:
    """A shortcut without weights."""

    name: str
    source: str
    stride: int
    added: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolNode:
    """Windows over maps; `ceil` keeps a last window that begins inside the map but ends outside it."""

    name: str
    op: PoolOp
    source: str
    kernel: Pair
    stride: Pair
    padding: Pair
    ceil: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainNode:
    """An operation that has no settings."""

    name: str
    op: PlainOp
    source: str


Node = LayerNode | AddNode | AttentionNode | SubsampleNode | PoolNode | PlainNode


def inputs_of(node: Node) -> tuple[str, ...]:
    """The edges that a node reads."""
    match node:
        case AddNode():
            return node.branch, node.shortcut
        case AttentionNode():
            return node.query, node.key, node.value
        case LayerNode() | SubsampleNode() | PoolNode() | PlainNode():
            return (node.source,)
        case _:
            assert_never(node)
