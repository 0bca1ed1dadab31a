"""The arithmetic of a layer on whole numbers that float tensors carry, and the 64-bit form it is held to.

n           `fixed_point` has the formulas; potentials are float64 below 2^51
op(n, w)    a convolution or matrix product, exact in a float type that holds every sum of its products
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from models.export.nodes import LayerNode
from models.functional.levels import Levels

PROBE_MARGIN = 6
"""Pixels of the probe's map beyond two windows."""


def whole_levels(u: torch.Tensor, threshold: float, levels: Levels) -> torch.Tensor:
    """n of `fixed_point` for whole potentials in float64."""
    if levels.binary:
        above = (u > 0 if levels.signed else u > threshold / 2).double()
        return above.mul_(2).sub_(1) if levels.signed else above
    if levels.signed:
        magnitude = torch.add(threshold, u.abs(), alpha=2).div_(2 * threshold).floor_()
        return magnitude.clamp_(max=levels.high).copysign_(u)
    return torch.add(threshold, u, alpha=2).div_(2 * threshold).floor_().clamp_(0, levels.high)


def operate(node: LayerNode, n: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """op(n, w) in the type of its arguments."""
    if node.op == "linear":
        return functional.linear(n, weight)
    geometry = node.geometry
    return functional.conv2d(
        n, weight, None, geometry.stride, geometry.padding, geometry.dilation, geometry.groups
    )


def exact_on_probe(node: LayerNode, weight: torch.Tensor, levels: torch.Tensor, ranges: list[Levels]) -> bool:
    """Whether an operation in float32 gives the whole numbers that 64-bit integers give."""
    widest = max(ranges, key=lambda one: one.high)
    random = np.random.default_rng(0)
    n = torch.from_numpy(random.integers(widest.low, widest.high + 1, _probe_shape(node)))
    found = operate(node, n.float(), weight)
    return torch.equal(found.double(), whole_operate(node, n, levels.long()).double())


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
    windows = windows.reshape(len(n), geometry.groups, -1, *windows.shape[2:])
    kernels = weight.reshape(geometry.groups, -1, *weight.shape[1:])
    return torch.einsum("bgihwxy,goixy->bgohw", windows, kernels).flatten(1, 2)
