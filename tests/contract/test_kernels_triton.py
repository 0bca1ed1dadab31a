"""The fused GPU form keeps the contract of kernels: on a GPU, or without one in Triton's interpreter."""

from __future__ import annotations

import os

import pytest
import torch

from models.functional.kernels import Neuron
from models.functional.kernels.interface import Form
from tests.contract.kernel_contract import KernelContract

pytest.importorskip("triton", reason="Triton is made for Linux alone")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("TRITON_INTERPRET=1 has to be set before the tests start", allow_module_level=True)


class TestTritonKernel(KernelContract):
    """Triton programs."""

    device = DEVICE
    half = torch.bfloat16 if DEVICE == "cuda" else torch.float16  # the interpreter cuts bfloat16 off
    huge = 3_000_001 if DEVICE == "cuda" else 5_001

    def form(self, neuron: Neuron) -> Form:
        from models.functional.kernels.triton_form import TritonForm

        return TritonForm(neuron)
