"""Every form of a layer's operation gives the whole numbers of 64-bit integers: one test for all."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export import convolution
from models.export.arithmetic import (
    ByteOperation,
    FloatOperation,
    NoOperation,
    operation_of,
    whole_operate,
)
from models.functional.levels import levels_at
from tests.unit.models.export.convolving import convolutions


def own_form(node, levels, highest):
    return convolution.ConvolutionOperation(node, levels, highest)


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
    "own": own_form,
    "chosen": chosen_form,
}


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    """What makes a form, and the groups that it has; skipped where this machine lacks it."""
    if request.param == "own" and convolution.compiled() is None:
        pytest.skip("no C compiler, or a processor without AVX2")
    return FORMS[request.param], (1,) if request.param == "own" else (1, 2)


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
