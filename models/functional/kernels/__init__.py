"""The neuron's forward and backward pass, in one reference form and one fused form per device.

`interface` says what a form computes, `reference` computes it in plain torch, `dispatch` chooses. On the CPU
`build` compiles `cpu.c` and `cpu` calls it; on a GPU `triton_form` launches `triton_programs`.
"""

from models.functional.kernels.autograd import run
from models.functional.kernels.interface import Neuron, StepsGradient

__all__ = ["Neuron", "StepsGradient", "run"]
