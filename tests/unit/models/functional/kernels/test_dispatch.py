"""The form follows from device and type; a GPU without its kernel is told of once and uses plain torch."""

import logging
import sys

import pytest
import torch

from models.functional.kernels import Neuron, dispatch
from models.functional.kernels.reference import ReferenceForm

ONES = torch.ones(1)
NEURON = Neuron(step_sizes=ONES, bits=ONES, steps=ONES)


@pytest.fixture
def nothing_tried():
    dispatch.gpu_form.cache_clear()
    yield
    dispatch.gpu_form.cache_clear()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_types_without_a_kernel_take_the_reference(dtype):
    assert isinstance(dispatch.form_of(ONES.to(dtype), NEURON), ReferenceForm)


def test_without_triton_one_warning_says_what_to_do(nothing_tried, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "models.functional.kernels.triton_form", None)
    with caplog.at_level(logging.WARNING):
        assert [dispatch.gpu_form(torch.device("cpu")) for _ in range(2)] == [None, None]
    (record,) = caplog.records
    assert "Install the version of triton" in record.message
    assert "plain torch" in record.message
