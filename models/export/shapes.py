"""The shape and the frames of every edge, from those of the input.

convolved   floor((H + 2p - d (k - 1) - 1) / s) + 1
pooled      the same with d = 1; rounded up where `ceil`, less a window that would begin beyond the map
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import prod
from typing import assert_never

from models.export.nodes import (
    INPUT,
    AddNode,
    AttentionNode,
    Geometry,
    LayerNode,
    Node,
    Pair,
    PlainNode,
    PoolNode,
    SubsampleNode,
    inputs_of,
)

Shape = tuple[int, ...]
MAP = 3
"""The dimensions of [C, H, W]."""


class ShapeError(ValueError):
    """A node that does not fit what it reads: one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """What flows out of a node: a shape for each frame of a sample; no frames for images."""

    shape: Shape
    frames: int


def edges_of(shape: Shape, frames: int, nodes: Iterable[Node]) -> Mapping[str, Edge]:
    """The edges by the names of their nodes, and the input. Raises ShapeError, naming the node."""
    edges = {INPUT: Edge(shape=shape, frames=frames)}
    operands: set[str] = set()
    for node in nodes:
        if node.name in edges:
            raise ShapeError(f"there are two nodes {node.name}")
        unknown = [name for name in inputs_of(node) if name not in edges]
        if unknown:
            raise ShapeError(f"{node.name} reads {unknown[0]}, which is no earlier node")
        _check_operands(node, operands)
        edges[node.name] = _edge(node, edges)
        if isinstance(node, LayerNode) and node.op == "operand":
            operands.add(node.name)
    return edges


def _check_operands(node: Node, operands: Set[str]) -> None:
    """Attention reads operands, and nothing else does."""
    wanted = isinstance(node, AttentionNode)
    odd = [name for name in inputs_of(node) if (name in operands) != wanted]
    if odd:
        raise ShapeError(f"{node.name} reads {odd[0]}, which is {'no' if wanted else 'an'} operand")


def _edge(node: Node, edges: Mapping[str, Edge]) -> Edge:
    first = edges[inputs_of(node)[0]]
    match node:
        case LayerNode():
            return Edge(shape=_layer(node, first.shape), frames=node.steps if first.frames else 0)
        case AddNode():
            if edges[node.shortcut].shape != first.shape:
                raise ShapeError(f"{node.name} adds {first.shape} and {edges[node.shortcut].shape}")
            return first
        case AttentionNode():
            return _attended(node, edges)
        case SubsampleNode():
            channels, *sides = _map(node, first.shape)
            kept = (-(-side // node.stride) for side in sides)
            return Edge(shape=(channels + node.added, *kept), frames=first.frames)
        case PoolNode():
            return Edge(shape=_pooled(node, first.shape), frames=first.frames)
        case PlainNode():
            return Edge(shape=_plain(node, first.shape), frames=first.frames)
        case _:
            assert_never(node)


def _layer(node: LayerNode, shape: Shape) -> Shape:
    match node.op:
        case "spikes":
            return shape
        case "operand":
            return _map(node, shape)
        case "linear":
            if len(shape) != 1 or node.weight_shape[1:] != shape:
                raise ShapeError(f"{node.name} has weights {node.weight_shape} for {shape}")
            return node.weight_shape[:1]
        case "conv":
            return _convolved(node, shape)
        case _:
            assert_never(node.op)


def _attended(node: AttentionNode, edges: Mapping[str, Edge]) -> Edge:
    """That of the value, whose frames it has."""
    shape = edges[node.value].shape
    others = {edges[node.query].shape, edges[node.key].shape}
    if others != {shape} or shape[0] % node.heads:
        raise ShapeError(f"{node.name} has {node.heads} heads of {sorted({shape, *others})}")
    return edges[node.value]


def scores_of(node: AttentionNode, shape: Shape) -> int:
    """The values of q k^T of one frame of one sample."""
    return node.heads * prod(shape[1:]) ** 2


def _convolved(node: LayerNode, shape: Shape) -> Shape:
    channels, *sides = _map(node, shape)
    leaving, entering, *kernel = node.weight_shape
    geometry = node.geometry
    if entering * geometry.groups != channels or leaving % geometry.groups:
        raise ShapeError(f"{node.name} has weights {node.weight_shape} for {shape}")
    found = convolved_sides(geometry, kernel, sides)
    if min(found) < 1:
        raise ShapeError(f"the kernel of {node.name} is larger than its map {shape}")
    return (leaving, *found)


def convolved_sides(geometry: Geometry, kernel: Sequence[int], sides: Sequence[int]) -> tuple[int, ...]:
    """Height and width of what a convolution makes of a map."""
    return tuple(
        (side + 2 * padding - dilation * (size - 1) - 1) // stride + 1
        for side, size, stride, padding, dilation in zip(
            sides, kernel, geometry.stride, geometry.padding, geometry.dilation, strict=True
        )
    )


def _pooled(node: PoolNode, shape: Shape) -> Shape:
    channels, *sides = _map(node, shape)
    if any(2 * padding > size for padding, size in zip(node.padding, node.kernel, strict=True)):
        raise ShapeError(f"{node.name} pads more than half of its window")
    found = (windows(side, place, node) for place, side in enumerate(sides))
    pooled = (channels, *found)
    if min(pooled) < 1:
        raise ShapeError(f"the window of {node.name} is larger than its map {shape}")
    return pooled


def windows(side: int, place: int, node: PoolNode) -> int:
    """How many windows fit along the side at a place (0: height, 1: width)."""
    size, stride, padding = node.kernel[place], node.stride[place], node.padding[place]
    span = side + 2 * padding - size
    if not node.ceil:
        return span // stride + 1
    count = -(-span // stride) + 1
    return count - 1 if (count - 1) * stride >= side + padding else count


def window_counts(shape: Pair, node: PoolNode) -> tuple[list[int], list[int]]:
    """How many pixels of the map each window holds along either side."""
    found = []
    for place, side in enumerate(shape):
        size, stride, padding = node.kernel[place], node.stride[place], node.padding[place]
        starts = [number * stride - padding for number in range(windows(side, place, node))]
        found.append([min(start + size, side) - max(start, 0) for start in starts])
    return found[0], found[1]


def _plain(node: PlainNode, shape: Shape) -> Shape:
    match node.op:
        case "map_mean":
            return _map(node, shape)[:1]
        case "flatten":
            return (prod(shape),)
        case "relu":
            return shape
        case _:
            assert_never(node.op)


def _map(node: Node, shape: Shape) -> Shape:
    if len(shape) != MAP:
        raise ShapeError(f"{node.name} needs maps [C, H, W], not {shape}")
    return shape
