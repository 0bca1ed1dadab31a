"""The arithmetic of a layer on whole numbers that float tensors carry, and the 64-bit form it is held to.

n           `fixed_point` has the formulas; potentials are float64 below 2^51
op(n, w)    a convolution or matrix product, exact in a float type that holds every sum of its products
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from models.export import convolution
from models.export.bounds import FLOAT32_LIMIT
from models.export.nodes import LayerNode
from models.functional.levels import Levels

GREATEST_BYTE, GREATEST_INT8, GREATEST_INT16 = 255, 127, 32_767
PROBE_MARGIN = 6
"""Pixels of the probe's map beyond two windows."""


class Operation(Protocol):
    """op(n, w) for levels of the type that it names; whole numbers as float32 or float64."""

    dtype: torch.dtype

    def __call__(self, n: torch.Tensor) -> torch.Tensor: ...


class NoOperation:
    """Levels as they are, of a layer without weights."""

    dtype = torch.float64

    def __call__(self, n: torch.Tensor) -> torch.Tensor:
        """n."""
        return n


class FloatOperation:
    """In float32 or float64."""

    def __init__(self, node: LayerNode, levels: torch.Tensor, dtype: torch.dtype) -> None:
        self.node = node
        self.dtype = dtype
        weight = levels.to(dtype)
        conv = node.op == "conv"
        self.weight = weight.contiguous(memory_format=torch.channels_last) if conv else weight

    def __call__(self, n: torch.Tensor) -> torch.Tensor:
        """op(n, w) for n of this type."""
        return operate(self.node, n, self.weight)


class ByteOperation:
    """A convolution of bytes."""

    dtype = torch.uint8

    def __init__(self, node: LayerNode, levels: torch.Tensor) -> None:
        moves, entering = node.geometry, node.weight_shape[1] * node.geometry.groups
        self.moves = [list(moves.stride), list(moves.padding), list(moves.dilation), moves.groups]
        self.ones = torch.ones(len(levels))
        self.zeros = torch.zeros(len(levels), dtype=torch.int32)
        shape = [1, entering, *_probe_shape(node)[2:]]
        self.weight = torch.ops.onednn.qconv_prepack(
            levels.to(torch.int8), self.ones, 1.0, 0, *self.moves, shape
        )

    def __call__(self, n: torch.Tensor) -> torch.Tensor:
        """op(n, w) for n in bytes, channels last."""
        head = (n, 1.0, 0, self.weight, self.ones, self.zeros, None, *self.moves)
        found: torch.Tensor = torch.ops.onednn.qconv_pointwise(*head, 1.0, 0, torch.float32, "none", [], "")
        return found


def operation_of(node: LayerNode, levels: torch.Tensor | None, ranges: list[Levels], sums: int) -> Operation:
    """The form of a layer, whose sums are `sums` at most."""
    if levels is None:
        return NoOperation()
    if sums < FLOAT32_LIMIT:
        for make in _forms(node, levels, ranges):
            with suppress(RuntimeError, AttributeError, ValueError):  # a torch or a processor that lacks it
                found = make()
                if exact_on_probe(node, found, levels, ranges):
                    return found
    return FloatOperation(node, levels, torch.float64)


def _forms(node: LayerNode, levels: torch.Tensor, ranges: list[Levels]) -> Iterator[Callable[[], Operation]]:
    """The fastest first."""
    if _fits_bytes(node, levels, ranges):
        highest = max(one.high for one in ranges)
        if convolution.is_best(levels):
            yield lambda: convolution.ConvolutionOperation(node, levels, highest)
        yield lambda: ByteOperation(node, levels)
    yield lambda: FloatOperation(node, levels, torch.float32)


def _fits_bytes(node: LayerNode, levels: torch.Tensor, ranges: list[Levels]) -> bool:
    heaviest, highest = int(levels.abs().max()), max(one.high for one in ranges)
    fit = heaviest <= GREATEST_INT8 and highest <= GREATEST_BYTE and 2 * heaviest * highest <= GREATEST_INT16
    return node.op == "conv" and not node.signed and fit


def whole_levels(u: torch.Tensor, threshold: float, levels: Levels) -> torch.Tensor:
    """n of `fixed_point` for whole potentials in float64, of the same type."""
    if levels.binary:
        above = (u > 0 if levels.signed else u > threshold / 2).double()
        return above.mul_(2).sub_(1) if levels.signed else above
    if levels.signed:
        magnitude = u.abs().add_(threshold / 2).div_(threshold).floor_()
        return magnitude.clamp_(max=levels.high).copysign_(u)
    return u.add(threshold / 2).div_(threshold).floor_().clamp_(0, levels.high)


def operate(node: LayerNode, n: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """op(n, w) in the type of its arguments."""
    if node.op == "linear":
        return functional.linear(n, weight)
    geometry = node.geometry
    return functional.conv2d(
        n, weight, None, geometry.stride, geometry.padding, geometry.dilation, geometry.groups
    )


def exact_on_probe(node: LayerNode, form: Operation, levels: torch.Tensor, ranges: list[Levels]) -> bool:
    """Whether a form gives the whole numbers that 64-bit integers give."""
    widest = max(ranges, key=lambda one: one.high)
    random = np.random.default_rng(0)
    n = torch.from_numpy(random.integers(widest.low, widest.high + 1, _probe_shape(node)))
    typed = n.to(form.dtype)
    if node.op == "conv":
        typed = typed.contiguous(memory_format=torch.channels_last)
    return torch.equal(form(typed).double(), whole_operate(node, n, levels.long()).double())


def _probe_shape(node: LayerNode) -> list[int]:
    """Two samples, large enough for a few windows of a convolution."""
    if node.op == "linear":
        return [2, node.weight_shape[1]]
    geometry = node.geometry
    sides = [
        dilation * (size - 1) + 2 * stride + PROBE_MARGIN
        for dilation, size, stride in zip(
            geometry.dilation, node.weight_shape[2:], geometry.stride, strict=True
        )
    ]
    return [2, node.weight_shape[1] * geometry.groups, *sides]


def whole_operate(node: LayerNode, n: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """op(n, w) in 64-bit integers, by windows and a matrix product; slow, and the measure of the others."""
    if node.op == "linear":
        return n @ weight.T
    geometry = node.geometry
    (high, wide), (down, right) = weight.shape[2:], geometry.padding
    padded = functional.pad(n, (right, right, down, down))
    reach = [d * (k - 1) + 1 for d, k in zip(geometry.dilation, (high, wide), strict=True)]
    windows = padded.unfold(2, reach[0], geometry.stride[0]).unfold(3, reach[1], geometry.stride[1])
    windows = windows[..., :: geometry.dilation[0], :: geometry.dilation[1]]
    windows = windows.reshape(len(n), geometry.groups, weight.shape[1], *windows.shape[2:])
    kernels = weight.reshape(geometry.groups, -1, *weight.shape[1:])
    return torch.einsum("bgihwxy,goixy->bgohw", windows, kernels).flatten(1, 2)
