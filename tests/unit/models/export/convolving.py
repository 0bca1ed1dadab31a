"""Random convolutions of bytes, for every test of what computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from models.export.arithmetic import GREATEST_INT16
from models.export.nodes import Geometry, LayerNode

SIDES = st.integers(1, 3)
BATCHES = st.sampled_from([0, 1, 3])


def conv(shape: tuple[int, ...], geometry: Geometry) -> LayerNode:
    """The node of a convolution of one step."""
    return LayerNode(
        name="a",
        op="conv",
        source="input",
        steps=1,
        spike_bits=(8,),
        signed=False,
        searched=True,
        weight_bits=(8,),
        weight_shape=shape,
        geometry=geometry,
    )


@st.composite
def convolutions(
    draw: Any, groups: tuple[int, ...] = (1,), steps: int = 1
) -> tuple[LayerNode, torch.Tensor, torch.Tensor, int]:
    """A node, its levels, spikes [T B, ...] that reach the ends of both ranges, and the highest spike."""
    many = draw(st.sampled_from(groups))
    kernel, stride, dilation = ((draw(SIDES), draw(SIDES)) for _ in range(3))
    padding = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    entering, leaving = draw(st.integers(1, 20)), many * draw(st.integers(1, 36 // many))
    shape = (leaving, entering, *kernel)
    heaviest, highest = draw(st.sampled_from([(1, 1), (7, 15), (127, 63), (127, 129), (64, 255), (1, 255)]))
    assert 2 * heaviest * highest <= GREATEST_INT16
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = st.sampled_from(["any", "heaviest"])
    weight = _ends(random, (-heaviest, heaviest), shape, draw(values))
    sides = [d * (k - 1) + 1 + draw(st.integers(0, 9)) for d, k in zip(dilation, kernel, strict=True)]
    n = _ends(random, (0, highest), (steps * draw(BATCHES), many * entering, *sides), draw(values))
    geometry = Geometry(stride=stride, padding=padding, dilation=dilation, groups=many)
    node = conv(shape, geometry)
    return node, torch.from_numpy(weight).int(), torch.from_numpy(n), highest


def _ends(random: np.random.Generator, limits: tuple[int, int], shape: Any, kind: str) -> Any:
    """Whole numbers between two limits, or the limits alone."""
    found = random.integers(limits[0], limits[1] + 1, shape)
    return np.where(found > sum(limits) / 2, limits[1], limits[0]) if kind == "heaviest" else found
