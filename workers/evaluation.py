"""Measure a trained network: what objectives need, and the nonzero spike rate of every layer and step.

One pass over a split gives all of search.objective.Measured. The loss is the plain cross entropy of the
logits averaged over frames, whatever loss the recipe trains with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any

import torch
from torch import nn

from models.layers import SpikingLayer
from models.nets import Network, folded
from search.objective import Measured
from workers.data import Samples
from workers.data.batches import batches
from workers.placement import Placement

GPU_BATCH = 512
CPU_PIXELS, CPU_BATCHES = 2**16, (8, 256)
"""Of a batch on a processor, over all frames, and the least and the greatest batch. With more pixels the maps
of a layer are so large that their memory is mapped anew for each, which takes longer than computing them.
"""
FOLDED_FROM = 4_096
"""Images from which folding saves more than it takes."""
EXAMPLES = 2
"""Images that folding is checked on."""
CPU = Placement()


def accuracy(network: Network, images: Samples, placement: Placement = CPU) -> float:
    """The share of images whose class is predicted, 0 to 1; leaves the network in evaluation mode."""
    return measure(network, images, placement).accuracy


def measure(network: Network, images: Samples, placement: Placement = CPU) -> Measured:
    """Accuracies and loss over the images; leaves the network in evaluation mode.

    Where there are enough images to pay for it, a copy with folded norms (models.nets.fold) is what runs.
    """
    network.eval()
    if len(images) >= FOLDED_FROM:
        network = folded(network, placement.batch(images.take(torch.arange(EXAMPLES))))
    right_K, there_K, loss = _sums(network, images, placement)
    present = there_K > 0
    mean = loss.item() / len(images)
    return Measured(
        accuracy=right_K.sum().item() / len(images),
        balanced_accuracy=(right_K[present] / there_K[present]).mean().item(),
        loss=mean if math.isfinite(mean) else math.inf,
    )


def evaluation_batch(images: Samples, placement: Placement = CPU) -> int:
    """How many images are evaluated at once."""
    if placement.device.type != "cpu":
        return GPU_BATCH
    *frames, _, height, width = images.stored.shape[1:]
    least, most = CPU_BATCHES
    return min(most, max(least, CPU_PIXELS // (prod(frames) * height * width)))


@torch.inference_mode()
def _sums(
    network: Network, images: Samples, placement: Placement
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each class the images that are right and those that are there; the sum of the loss. In float64."""
    right_K = there_K = loss = torch.zeros((), dtype=torch.float64, device=placement.device)
    for x, classes_B in batches(images, evaluation_batch(images, placement)):
        logits_BK, y_B = network(placement.batch(x)), classes_B.to(placement.device)
        classes_BK = nn.functional.one_hot(y_B, logits_BK.shape[1]).double()
        right_B = logits_BK.argmax(1) == y_B
        there_K = there_K + classes_BK.sum(0)
        right_K = right_K + classes_BK[right_B].sum(0)
        loss = loss + nn.functional.cross_entropy(logits_BK.double(), y_B, reduction="sum")
    return right_K, there_K, loss


@torch.inference_mode()
def spike_rates(network: Network, images: Samples, placement: Placement = CPU) -> dict[str, list[float]]:
    """For each layer, the share of nonzero spikes at each step, averaged over the images."""
    network.eval()
    sums: dict[str, torch.Tensor] = {}
    with _counting(network, sums):
        for x, _ in batches(images, evaluation_batch(images, placement)):
            network(placement.batch(x))
    return {name: (rates_T / len(images.y_N)).tolist() for name, rates_T in sums.items()}


@contextmanager
def _counting(network: Network, sums: dict[str, torch.Tensor]) -> Iterator[None]:
    handles = [
        layer.register_forward_pre_hook(partial(_count, sums, name)) for name, layer in network.layers.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _count(sums: dict[str, torch.Tensor], name: str, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
    if not isinstance(layer, SpikingLayer):
        raise TypeError("only layers with a neuron have spike rates")
    samples = inputs[0].shape[1] if layer.options.temporal else len(inputs[0])
    rates_T = torch.tensor(layer.neuron.rates(inputs[0]), dtype=torch.float64) * samples
    sums[name] = sums.get(name, torch.zeros_like(rates_T)) + rates_T
