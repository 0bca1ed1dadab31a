"""The fused CPU form keeps the contract of kernels, whatever the number of threads."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from models.functional.kernels import Neuron, dispatch
from models.functional.kernels.cpu import CpuForm
from models.functional.kernels.reference import ReferenceForm
from tests.contract.kernel_contract import OPTIONS, KernelContract, made, neuron_of

LIBRARY = dispatch.cpu_library()


@pytest.mark.skipif(LIBRARY is None, reason="no C compiler: the reference serves this machine")
class TestCpuKernel(KernelContract):
    """C, compiled on this machine."""

    def form(self, neuron: Neuron) -> CpuForm:
        assert LIBRARY is not None
        return CpuForm(LIBRARY, neuron)

    def test_one_thread_and_two_give_the_same_bits(self) -> None:
        x, grad = made(0, 70_001), made(1, 70_001)
        form = self.form(neuron_of(bits=3, steps=3, **OPTIONS["all"]))
        before, found, heads = torch.get_num_threads(), [], set()
        try:
            for threads in (1, 2):
                torch.set_num_threads(threads)
                found.append((form.forward(x), form.backward(grad, x)))
                heads.add(form._head(x))
        finally:
            torch.set_num_threads(before)
        assert len(heads) == 2, "the kernel was told of one number of threads alone"
        (one, of_one), (two, of_two) = found
        assert torch.equal(one, two)
        assert all(torch.equal(getattr(of_one, f.name), getattr(of_two, f.name)) for f in fields(of_one))

    def test_it_is_the_one_that_is_chosen(self) -> None:
        neuron = neuron_of(bits=3, steps=2)
        assert isinstance(dispatch.form_of(made(0, 3), neuron), CpuForm)
        assert isinstance(dispatch.form_of(made(0, 3).bfloat16(), neuron), CpuForm)
        assert isinstance(dispatch.form_of(made(0, 3).double(), neuron), ReferenceForm)
