"""What happens to currents between layers, on whole numbers in float64; sums of a mean in 64-bit integers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import assert_never

import torch
from torch.nn import functional

from models.export.nodes import MAP_DIMS, PlainNode, PoolNode, SubsampleNode
from models.export.shapes import window_counts, windows

QUARTERS = (2, 2)
"""The windows of four pixels, whose means need no division."""


def mean(total: torch.Tensor, count: int | torch.Tensor) -> torch.Tensor:
    """floor((2S + N) / (2N)) of whole sums."""
    return torch.div(2 * total.long() + count, 2 * count, rounding_mode="floor").double()


def regroup(frames: torch.Tensor, steps: int) -> torch.Tensor:
    """[F, ...] to [steps, ...], as models.functional.frames has it, with rounded means."""
    F = len(frames)
    if steps == F:
        return frames
    starts = [step * F // steps for step in range(steps + 1)]
    if steps > F:
        return frames[starts[:-1]]
    return torch.stack(
        [mean(frames[begin:end].long().sum(0), end - begin) for begin, end in pairwise(starts)]
    )


def add(
    branch: torch.Tensor, shortcut: torch.Tensor, *, framed: bool, into: torch.Tensor | None
) -> torch.Tensor:
    """The residual sum, in the place of `into` where that is given."""
    fitting = regroup(shortcut, len(branch)) if framed else shortcut
    return torch.add(branch, fitting, out=into)


def without_neuron(node: SubsampleNode | PoolNode | PlainNode, x: torch.Tensor, *, dims: int) -> torch.Tensor:
    """What a node with one input and no neuron gives; `dims` are those of a sample."""
    match node:
        case SubsampleNode():
            return subsample(x, node)
        case PoolNode():
            return mean_pool(x, node) if node.op == "mean_pool" else max_pool(x, node)
        case PlainNode():
            return _plain(node, x, dims)
        case _:
            assert_never(node)


def _plain(node: PlainNode, x: torch.Tensor, dims: int) -> torch.Tensor:
    match node.op:
        case "map_mean":
            return map_mean(x)
        case "flatten":
            return x.flatten(-dims)
        case "relu":
            return x.clamp(min=0)
        case _:
            assert_never(node.op)


def subsample(x: torch.Tensor, node: SubsampleNode) -> torch.Tensor:
    """Every stride-th pixel, with channels of zeros added."""
    kept = x[..., :: node.stride, :: node.stride]
    return functional.pad(kept, (0, 0, 0, 0, 0, node.added))


def map_mean(x: torch.Tensor) -> torch.Tensor:
    """The mean of each map."""
    return mean(x.long().sum((-2, -1)), x.shape[-2] * x.shape[-1])


def mean_pool(x: torch.Tensor, node: PoolNode) -> torch.Tensor:
    """The mean of what each window holds of the map."""
    down, across = window_counts((x.shape[-2], x.shape[-1]), node)
    if node.kernel == QUARTERS and {*down, *across} == {2}:
        return _pooled(x, lambda maps: _quartered(maps, node))
    counts = torch.tensor(down)[:, None] * torch.tensor(across)
    return mean(_windows(x, node).long().sum((-2, -1)), counts)


def _quartered(maps: torch.Tensor, node: PoolNode) -> torch.Tensor:
    """floor((2S + 4) / 8) = floor(S / 4 + 1 / 2) of currents below 2^51: no step takes more than 53 bits."""
    sums = functional.avg_pool2d(maps, QUARTERS, node.stride, node.padding, node.ceil, divisor_override=1)
    return sums.mul_(0.25).add_(0.5).floor_()


def max_pool(x: torch.Tensor, node: PoolNode) -> torch.Tensor:
    """The greatest value that each window holds of the map."""
    kept = (node.kernel, node.stride, node.padding)
    return _pooled(x, lambda maps: functional.max_pool2d(maps, *kept, ceil_mode=node.ceil))


def _pooled(x: torch.Tensor, pool: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """A pool of torch's over maps, also of frames."""
    if x.dim() == MAP_DIMS:
        return pool(x)
    frames, batch = x.shape[:2]
    found = pool(x.flatten(0, 1))
    return found.reshape(frames, batch, *found.shape[1:])


def _windows(x: torch.Tensor, node: PoolNode) -> torch.Tensor:
    """[..., C, windows down, windows across, *kernel], with zeros outside the map."""
    needed = []
    for place, side in enumerate(x.shape[-2:]):
        span = (windows(side, place, node) - 1) * node.stride[place] + node.kernel[place]
        needed.append((node.padding[place], max(0, span - side - node.padding[place])))
    (top, bottom), (left, right) = needed
    padded = functional.pad(x, (left, right, top, bottom))
    return padded.unfold(-2, node.kernel[0], node.stride[0]).unfold(-2, node.kernel[1], node.stride[1])
