"""A network of adaptive layers, and what a trainer asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import nn

from models.allocation import Allocation
from models.cost import LayerLoad, LayerShape, Scope, paired
from models.errors import InvalidInputError
from models.functional import Renewal
from models.layers import SpikingLayer, SpikingNeuron, constrain
from models.nets.frames import MapNorm, VectorNorm
from models.replicas import Replicas
from models.wish import Wish

LOGIT_DIMS = 2
"""The dimensions of logits [B, K], without frames."""


class Network(nn.Module):
    """Wraps a body that maps images [B, C, H, W] to logits [B, K]; layers are named by their place in it.

    A temporal body maps event data [F, B, C, H, W] to the frames of its last layer, [T, B, K].
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        # Looked up several times in a step; a body whose layers are exchanged belongs in a new network.
        self._layers = {name: part for name, part in body.named_modules() if isinstance(part, SpikingLayer)}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [B, K]: the mean over the frames where there are frames."""
        logits: torch.Tensor = self.body(x)
        return logits if logits.dim() == LOGIT_DIMS else logits.mean(0)

    def frame_logits(self, x: torch.Tensor) -> torch.Tensor:
        """The logits of each frame [T, B, K]; [1, B, K] for images."""
        logits: torch.Tensor = self.body(x)
        return logits.unsqueeze(0) if logits.dim() == LOGIT_DIMS else logits

    @property
    def layers(self) -> Mapping[str, SpikingLayer]:
        """Every layer with bits in the order of the body, by dotted name."""
        return self._layers

    @property
    def temporal(self) -> bool:
        """Whether it takes event data."""
        return any(layer.options.temporal for layer in self.layers.values())

    @property
    def searched(self) -> Mapping[str, SpikingLayer]:
        """The layers whose bits are searched."""
        return {name: layer for name, layer in self.layers.items() if layer.fixed is None}

    def allocation(self) -> Allocation:
        """The whole bits of the searched layers now."""
        return Allocation(layers={name: layer.bits() for name, layer in self.searched.items()})

    def wish(self) -> Wish:
        """The real-valued bits of the searched layers."""
        return {name: layer.wish() for name, layer in self.searched.items()}

    def freeze(self, allocation: Allocation, renewal: Renewal = "closed_form") -> dict[str, int]:
        """Fix the bits of every searched layer; afterwards none are learned. Returns what `renew` does.

        Raises InvalidInputError when the allocation names other layers or leaves the bounds.
        """
        searched = self.searched
        if set(searched) != set(allocation.layers):
            odd = sorted(set(searched) ^ set(allocation.layers))
            raise InvalidInputError(f"the allocation and the network disagree on {', '.join(odd)}.")
        return {name: layer.freeze(allocation[name], renewal) for name, layer in searched.items()}

    def thaw(self) -> None:
        """Learn the bits of the searched layers again, from what they were frozen at."""
        for layer in self.searched.values():
            layer.thaw()

    def loads(self, table: Sequence[LayerShape], scope: Scope) -> list[LayerLoad]:
        """The loads of a scope, with tensors that carry gradients to the bits."""
        layers = self.layers
        return paired([layers[shape.name].load(shape) for shape in table], scope)

    def renew(self, mode: Renewal) -> dict[str, int]:
        """Fit the step sizes of every searched layer to bits that have crossed to another integer.

        Returns how many step sizes of each layer were fitted.
        """
        return {name: layer.renew(mode) for name, layer in self.searched.items()}

    def constrain(self) -> None:
        """Bring every layer's parameters back inside their bounds after an optimiser step."""
        constrain(bounded for layer in self.layers.values() for bounded in layer.bounded())

    def replicate(self, replicas: Replicas) -> None:
        """Train as one of these from now on. Raises InvalidInputError where a norm would see a part alone."""
        for name, part in self.body.named_modules():
            if isinstance(part, SpikingNeuron | MapNorm | VectorNorm):
                part.replicas = replicas
            elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and replicas.size > 1:
                raise InvalidInputError(
                    f"{name} is a {type(part).__name__}, which sees only a part of each batch.",
                    fix="Put MapNorm or VectorNorm of models.nets in its place, or train in one process.",
                    pointer="/compute/processes_per_trial",
                )

    def bit_parameters(self) -> Iterator[nn.Parameter]:
        """The bits and steps of the searched layers."""
        for layer in self.searched.values():
            yield from layer.bit_parameters()

    def step_size_parameters(self) -> Iterator[nn.Parameter]:
        """The step sizes of every layer."""
        for layer in self.layers.values():
            yield from layer.step_size_parameters()

    def neuron_parameters(self) -> Iterator[nn.Parameter]:
        """The learned leaks and threshold shifts of every layer, where the options have them."""
        for layer in self.layers.values():
            yield from layer.neuron_parameters()

    def weight_parameters(self) -> Iterator[nn.Parameter]:
        """Everything else: weights, biases, normalisation."""
        others = {id(parameter) for parameter in self.step_size_parameters()}
        others |= {id(parameter) for parameter in self.neuron_parameters()}
        others |= {id(parameter) for layer in self.layers.values() for parameter in layer.bit_parameters()}
        return (parameter for parameter in self.parameters() if id(parameter) not in others)
