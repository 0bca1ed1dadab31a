"""The networks that benchmarks/train_step.py times: one shape, one T, different neurons.

Every contender is the float twin of our network with something else in place of its ReLUs, so operators,
norms and shortcuts are the same modules. The spiking libraries see every image T times, as their multi-step
networks do, and average the logits over the steps; ours convolves once, whatever T is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import nn

from models.allocation import Allocation, LayerBits
from models.layers import LayerOptions
from models.nets import Network, build_network, float_twin

SAMPLE_SHAPE, CLASSES, BITS = (3, 32, 32), 10, 4
Neuron = Callable[[int], nn.Module]
PLAIN, TWIN = "bitfront, plain torch", "float twin"
NEEDS = {"spikingjelly": "spikingjelly", "snntorch": "snntorch"}
"""The package that a contender needs."""


@contextmanager
def without_fused_forms() -> Iterator[None]:
    """Take the reference form of every tensor function."""
    dispatch = "models.functional.kernels.dispatch"
    with (
        patch(f"{dispatch}.cpu_library", return_value=None),
        patch(f"{dispatch}.gpu_form", return_value=None),
    ):
        yield


class OverSteps(nn.Module):
    """A network of per-step layers: repeats the image T times [T*B, C, H, W] and averages the logits."""

    def __init__(self, body: nn.Module, steps: int) -> None:
        super().__init__()
        self.body = body
        self.steps = steps

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Logits [B, K]."""
        reset(self.body)
        logits = self.body(x_BCHW.repeat(self.steps, 1, 1, 1))
        return logits.unflatten(0, (self.steps, -1)).mean(0)


class SpikingJellyNeuron(nn.Module):
    """SpikingJelly's multi-step integrate-and-fire neuron with soft reset, on flattened steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        from spikingjelly.activation_based import neuron, surrogate

        self.steps = steps
        self.neuron = neuron.IFNode(
            step_mode="m", v_reset=None, surrogate_function=surrogate.ATan(), detach_reset=True
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[T*B, ...] currents to [T*B, ...] spikes."""
        return self.neuron(x.unflatten(0, (self.steps, -1))).flatten(0, 1)

    def reset(self) -> None:
        """Forget the potential of the last batch."""
        self.neuron.reset()


class SnnTorchNeuron(nn.Module):
    """snnTorch's leaky neuron with leak 1 and reset by subtraction, step by step."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        import snntorch

        self.steps = steps
        self.neuron = snntorch.Leaky(beta=1.0, reset_mechanism="subtract")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[T*B, ...] currents to [T*B, ...] spikes."""
        potential, spikes = self.neuron.init_leaky(), []
        for current in x.unflatten(0, (self.steps, -1)):
            spike, potential = self.neuron(current, potential)
            spikes.append(spike)
        return torch.cat(spikes)


def reset(body: nn.Module) -> None:
    """Forget the potentials of every neuron that keeps one."""
    for part in body.modules():
        if isinstance(part, SpikingJellyNeuron):
            part.reset()


def adaptive(steps: int, architecture: str = "resnet20") -> Network:
    """Ours: 4/4 bits and T steps in every searched layer, bits frozen but differentiated."""
    torch.manual_seed(0)
    network = build_network(
        architecture,
        {},
        sample_shape=SAMPLE_SHAPE,
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
    )
    bits = LayerBits.uniform(steps=steps, spike_bits=BITS, weight_bits=BITS)
    network.freeze(Allocation(layers=dict.fromkeys(network.searched, bits)))
    for parameter in network.bit_parameters():
        parameter.requires_grad_(True)
    return network


def twin(steps: int) -> nn.Module:
    """The float twin; it has no steps."""
    return float_twin(adaptive(steps))


def spiking(neuron: Neuron, steps: int) -> nn.Module:
    """The float twin with a library's neurons in place of its ReLUs."""
    body = twin(steps)
    for name, part in list(body.named_modules()):
        if isinstance(part, nn.ReLU):
            body.set_submodule(name, neuron(steps))
    return OverSteps(body, steps)


CONTENDERS: Mapping[str, Callable[[int], nn.Module]] = {
    "bitfront": adaptive,
    PLAIN: adaptive,
    TWIN: twin,
    "spikingjelly": lambda steps: spiking(SpikingJellyNeuron, steps),
    "snntorch": lambda steps: spiking(SnnTorchNeuron, steps),
}
"""`bitfront, plain torch` is the same network without the fused kernels; the caller switches them off."""
