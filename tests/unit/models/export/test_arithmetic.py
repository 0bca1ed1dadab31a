"""Every form of a layer's operation gives the whole numbers of 64-bit integers: one test for all."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export import narrow
from models.export.arithmetic import (
    GREATEST_INT16,
    ByteOperation,
    FloatOperation,
    NoOperation,
    operation_of,
    whole_operate,
)
from models.export.nodes import Geometry, LayerNode
from models.functional.levels import levels_at

SIDES = st.integers(1, 3)
BATCHES = st.sampled_from([0, 1, 3])


def conv(shape, geometry):
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
def convolutions(draw, groups=(1,)):
    """A node, its levels, a batch of spikes that reaches the ends of both ranges, and the highest spike."""
    many = draw(st.sampled_from(groups))
    kernel, stride, dilation = ((draw(SIDES), draw(SIDES)) for _ in range(3))
    padding = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    entering, leaving = draw(st.integers(1, 20)), many * draw(st.integers(1, 36 // many))
    shape = (leaving, entering, *kernel)
    heaviest, highest = draw(st.sampled_from([(1, 1), (7, 15), (127, 63), (127, 129), (64, 255), (1, 255)]))
    assert 2 * heaviest * highest <= GREATEST_INT16
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = st.sampled_from(["any", "heaviest"])
    weight = ends(random, (-heaviest, heaviest), shape, draw(values))
    sides = [d * (k - 1) + 1 + draw(st.integers(0, 9)) for d, k in zip(dilation, kernel, strict=True)]
    n = ends(random, (0, highest), (draw(BATCHES), many * entering, *sides), draw(values))
    geometry = Geometry(stride=stride, padding=padding, dilation=dilation, groups=many)
    node = conv(shape, geometry)
    return node, torch.from_numpy(weight).int(), torch.from_numpy(n), highest


def ends(random, limits, shape, kind):
    """Whole numbers between two limits, or the limits alone."""
    found = random.integers(limits[0], limits[1] + 1, shape)
    return np.where(found > sum(limits) / 2, limits[1], limits[0]) if kind == "heaviest" else found


def narrow_form(node, levels, highest):
    return narrow.NarrowOperation(node, levels, highest)


def float_form(dtype):
    return lambda node, levels, highest: FloatOperation(node, levels, dtype)


def byte_form(node, levels, highest):
    return ByteOperation(node, levels)


def chosen_form(node, levels, highest):
    ranges = [levels_at(highest.bit_length(), signed=False)]
    return operation_of(node, levels, ranges, highest * int(levels.abs().sum()))


FORMS = {
    "float32": float_form(torch.float32),
    "float64": float_form(torch.float64),
    "bytes": byte_form,
    "narrow": narrow_form,
    "chosen": chosen_form,
}


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    """What makes a form, and the groups that it has; skipped where this machine lacks it."""
    if request.param == "narrow" and narrow.compiled() is None:
        pytest.skip("no C compiler, or a processor without AVX2")
    return FORMS[request.param], (1,) if request.param == "narrow" else (1, 2)


@given(data=st.data())
def test_every_form_gives_what_64_bit_integers_give(form, data):
    make, groups = form
    node, levels, n, highest = data.draw(convolutions(groups))
    operation = make(node, levels, highest)
    for part in (n, n[:1], n.flip(0)):
        found = operation(part.to(operation.dtype).contiguous(memory_format=torch.channels_last))
        assert torch.equal(found.double(), whole_operate(node, part, levels.long()).double())


def test_without_weights_levels_are_as_they_are():
    n = torch.arange(4.0)
    assert NoOperation()(n) is n


def runs_hold(quads, highest, run):
    """Whether no partial sum of a run can leave 16 bits, by the worst levels of every quad, both ways."""
    for start in range(0, quads.shape[1], run):
        for half in (slice(0, 2), slice(2, 4)):
            part = quads[:, start : start + run, half].long() * highest
            if max(part.clamp(min=0).sum((1, 2)).max(), -part.clamp(max=0).sum((1, 2)).min()) > 2**15 - 1:
                return False
    return True


@given(
    st.integers(1, 40),
    st.sampled_from([1, 15, 63, 255]),
    st.integers(0, 127),
    st.integers(0, 99),
)
def test_a_run_of_quads_is_the_first_half_that_stays_within_16_bits(count, highest, heaviest, seed):
    random = np.random.default_rng(seed)
    quads = torch.from_numpy(random.integers(-heaviest, heaviest + 1, (3, count, 4)))
    halves = [count]
    while halves[-1] > 1:
        halves.append(-(-halves[-1] // 2))
    fitting = [run for run in halves if runs_hold(quads, highest, run)]
    assert narrow.run_of(quads, highest) == (fitting[0] if fitting else 0)


def test_weights_too_heavy_for_a_pair_of_products_have_no_narrow_form():
    assert narrow.run_of(torch.full((1, 3, 4), 127), 255) == 0
    assert narrow.run_of(torch.full((1, 3, 4), 127), 64) == 2
    assert narrow.run_of(torch.full((1, 3, 4), 127), 65) == 1


def test_groups_have_no_narrow_form():
    node = conv((2, 1, 1, 1), Geometry(groups=2))
    with pytest.raises(ValueError, match="no narrow form"):
        narrow.NarrowOperation(node, torch.ones(2, 1, 1, 1, dtype=torch.int32), 1)
