"""Turn any module of convolutions and linear layers into a network of adaptive layers, with one call.

Every Conv1d, Conv2d and Linear gets a neuron before it and a quantizer for its weights; the weights stay. The
neuron is the nonlinearity: a ReLU that the module has before a layer stays where it is, and changes nothing
there, since the neuron of a layer takes only what is above 0. Everything else stays too.

The layers are found by running the module once on zeros. The first that runs is the first layer: its input
is signed and its bits are fixed unless it is searched.

On event data the module sees its frames as one longer batch, and each layer unfolds them for its own T:

    frames [F B, ...] -> [F, B, ...] -> layer -> [T, B, ...] -> regroup -> [F, B, ...] -> [F B, ...]

so the module's own sums and products always meet tensors of F frames, whatever T its layers have.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from models.errors import InvalidInputError
from models.functional import regroup
from models.layers import AdaptiveLayer, LayerOptions, Operator
from models.nets.network import Network
from models.nets.setting import NetworkInput
from models.nets.trace import traced_layers


def adapt(
    module: nn.Module,
    *,
    sample_shape: tuple[int, int, int],
    options: LayerOptions,
    frames: int = 0,
    search_first_layer: bool = False,
) -> Network:
    """A network made of a copy of `module`, which maps [B, C, H, W] to logits [B, K].

    `sample_shape` is [C, H, W]; `frames` the frames of event data, 0 for images. The network of event data
    maps [frames, B, C, H, W]. Raises InvalidInputError, naming the submodule and the fix, for layers that
    cannot be adapted, that share weights, that run twice or that never run.
    """
    given = NetworkInput(
        sample_shape=sample_shape,
        classes=0,  # the module has its own
        options=replace(options, temporal=bool(frames)),
        search_first_layer=search_first_layer,
        frames=frames,
    )
    body = nn.Sequential(copy.deepcopy(module))  # so that a module which is one layer can be replaced too
    for number, (name, operator) in enumerate(traced_layers(body, sample_shape).items()):
        body.set_submodule(name, _adapted(operator, given, first=not number))
    return Network(FrameByFrame(body[0], frames) if frames else body[0])


class FrameByFrame(nn.Module):
    """Shows frames to a module as one longer batch."""

    def __init__(self, module: nn.Module, frames: int) -> None:
        super().__init__()
        self.module = module
        self.frames = frames

    def forward(self, x_FBCHW: torch.Tensor) -> torch.Tensor:
        """Logits [F, B, K]."""
        if len(x_FBCHW) != self.frames:
            raise InvalidInputError(f"{len(x_FBCHW)} frames were given; the network takes {self.frames}.")
        logits: torch.Tensor = self.module(x_FBCHW.flatten(0, 1))
        return logits.view(self.frames, -1, *logits.shape[1:])


class FrameLayer(nn.Module):
    """A temporal layer inside a module that sees frames as one longer batch."""

    def __init__(self, layer: AdaptiveLayer, frames: int) -> None:
        super().__init__()
        self.layer = layer
        self.frames = frames

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """[F B, ...] to [F B, ...]."""
        spread = self.layer(current.view(self.frames, -1, *current.shape[1:]))
        return regroup(spread, self.frames).flatten(0, 1)


def _adapted(operator: Operator, given: NetworkInput, *, first: bool) -> nn.Module:
    layer = AdaptiveLayer(
        operator, options=given.options, fixed=given.first_layer if first else None, signed=first
    )
    return FrameLayer(layer, given.frames) if given.frames else layer
