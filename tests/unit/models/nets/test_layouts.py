"""Gradients reach every norm of a channels-last network in the layout of its input.

Where they do not, torch has only a slow way for its backward pass; in a residual network one gradient of
another layout goes on through all shortcuts.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from models.layers import LayerOptions
from models.nets import build_network, float_twin
from models.nets.frames import with_its_layout

NETWORKS = {
    "conv-net": ((1, 12, 12), {"width": 8}),
    "resnet18": ((3, 32, 32), {"width": 8}),
    "resnet18 of ImageNet": ((3, 64, 64), {"width": 8, "stem": "imagenet"}),
    "resnet20": ((3, 16, 16), {"width": 8}),
    "sew-resnet18": ((3, 32, 32), {"width": 8}),
    "vggsnn": ((2, 32, 32), {"width": 8}),
}


class NormLayouts(TorchDispatchMode):
    """Notes the strides of the gradient and of the input of every norm's backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.strides: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.native_batch_norm_backward.default:
            self.strides.append((args[0].stride(), args[1].stride()))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("is_twin", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_norm_gets_its_gradient_in_the_layout_of_its_input(name, is_twin):
    shape, settings = NETWORKS[name]
    network = build_network(
        name.split()[0],
        settings,
        sample_shape=shape,
        classes=10,
        options=LayerOptions(),
        search_first_layer=False,
    )
    network = (float_twin(network) if is_twin else network).to(memory_format=torch.channels_last).train()
    x = torch.rand(4, *shape).contiguous(memory_format=torch.channels_last)
    with NormLayouts() as found:
        functional.cross_entropy(network(x), torch.tensor([0, 1, 2, 3])).backward()
    assert len(found.strides) == sum(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
    assert all(of_gradient == of_input for of_gradient, of_input in found.strides)


def test_the_gradient_of_one_use_is_laid_out_and_keeps_its_values():
    x = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    (with_its_layout(x).mean(dim=(-2, -1)) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x.grad, torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1).expand(2, 3, 4, 4) / 16)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (5, 2, 3, 4, 4)])
def test_other_layouts_and_frames_stay_as_they_are(shape):
    x = torch.rand(shape).requires_grad_()
    assert with_its_layout(x) is x
