"""Measure a trained network: accuracy, and the nonzero spike rate of every layer and step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from models.layers import SpikingLayer
from models.nets import Network, folded
from workers.data import Samples
from workers.data.batches import batches
from workers.placement import Placement

EVALUATION_BATCH = 512
FOLDED_FROM = 4_096
"""Images from which folding saves more than it takes."""
EXAMPLES = 2
"""Images that folding is checked on."""
CPU = Placement()


def accuracy(network: Network, images: Samples, placement: Placement = CPU) -> float:
    """The share of images whose class is predicted, 0 to 1; leaves the network in evaluation mode.

    Where there are enough images to pay for it, a copy with folded norms (models.nets.fold) is what runs.
    """
    network.eval()
    if len(images) >= FOLDED_FROM:
        network = folded(network, placement.batch(images.take(torch.arange(EXAMPLES))))
    return _accuracy(network, images, placement)


@torch.inference_mode()
def _accuracy(network: Network, images: Samples, placement: Placement) -> float:
    correct = torch.zeros((), dtype=torch.int64, device=placement.device)
    for x, y_B in batches(images, EVALUATION_BATCH):
        correct += (network(placement.batch(x)).argmax(1) == y_B.to(placement.device)).sum()
    return correct.item() / len(images)


@torch.inference_mode()
def spike_rates(network: Network, images: Samples, placement: Placement = CPU) -> dict[str, list[float]]:
    """For each layer, the share of nonzero spikes at each step, averaged over the images."""
    network.eval()
    sums: dict[str, torch.Tensor] = {}
    with _counting(network, sums):
        for x, _ in batches(images, EVALUATION_BATCH):
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
