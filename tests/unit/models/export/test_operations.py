"""Pools of whole numbers are what windows of Python's integers give."""

from itertools import product

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export.nodes import PoolNode
from models.export.operations import without_neuron
from models.export.shapes import windows

SIDES = st.integers(1, 3)
MOST = 2**51 - 1
"""What bounds let a current be."""


@st.composite
def pools(draw):
    """A pool and maps that it fits, with numbers as great as may be; with and without frames."""
    kernel, stride = ((draw(SIDES), draw(SIDES)) for _ in range(2))
    if draw(st.booleans()):
        kernel = stride = (2, 2)
    padding = tuple(draw(st.integers(0, size // 2)) for size in kernel)
    node = PoolNode(
        name="pool",
        op=draw(st.sampled_from(["mean_pool", "max_pool"])),
        source="input",
        kernel=kernel,
        stride=stride,
        padding=padding,
        ceil=draw(st.booleans()),
    )
    sides = [
        max(1, size - 2 * pad) + draw(st.integers(0, 5)) for size, pad in zip(kernel, padding, strict=True)
    ]
    leading = draw(st.sampled_from([(2,), (2, 2)]))
    random = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    scale = draw(st.sampled_from([9, MOST]))
    return node, torch.randint(-scale, scale + 1, (*leading, 2, *sides), generator=random)


def pooled(node, rows):
    """One map, as lists of integers."""
    sides = len(rows), len(rows[0])
    counts = [windows(side, place, node) for place, side in enumerate(sides)]
    found = []
    for at in product(*map(range, counts)):
        starts = [n * s - p for n, s, p in zip(at, node.stride, node.padding, strict=True)]
        held = [
            rows[y][x]
            for y in range(max(0, starts[0]), min(sides[0], starts[0] + node.kernel[0]))
            for x in range(max(0, starts[1]), min(sides[1], starts[1] + node.kernel[1]))
        ]
        mean = (2 * sum(held) + len(held)) // (2 * len(held))
        found.append(mean if node.op == "mean_pool" else max(held))
    return torch.tensor(found).reshape(counts)


@given(pools())
def test_pools_are_what_integers_give(given_pool):
    node, x = given_pool
    found = without_neuron(node, x.double(), dims=3)
    maps = [pooled(node, rows.tolist()) for rows in x.reshape(-1, *x.shape[-2:])]
    assert torch.equal(found.long(), torch.stack(maps).reshape(found.shape))
