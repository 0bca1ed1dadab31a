"""Measure a trained network: accuracy, and the nonzero spike rate of every layer and step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from models.layers import AdaptiveLayer
from models.nets import Network
from workers.data import LabelledImages

EVALUATION_BATCH = 512


@torch.no_grad()
def accuracy(network: Network, images: LabelledImages) -> float:
    """The share of images whose class is predicted, 0 to 1; leaves the network in evaluation mode."""
    network.eval()
    correct = 0
    for chosen in _batches(len(images.y_N)):
        correct += int((network(images.x_NCHW[chosen]).argmax(1) == images.y_N[chosen]).sum())
    return correct / len(images.y_N)


@torch.no_grad()
def spike_rates(network: Network, images: LabelledImages) -> dict[str, list[float]]:
    """For each layer, the share of nonzero spikes at each step, averaged over the images."""
    network.eval()
    sums: dict[str, torch.Tensor] = {}
    with _counting(network, sums):
        for chosen in _batches(len(images.y_N)):
            network(images.x_NCHW[chosen])
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
    if not isinstance(layer, AdaptiveLayer):
        raise TypeError("only adaptive layers have spike rates")
    rates_T = torch.tensor(layer.neuron.rates(inputs[0]), dtype=torch.float64) * len(inputs[0])
    sums[name] = sums.get(name, torch.zeros_like(rates_T)) + rates_T


def _batches(count: int) -> Iterator[slice]:
    return (slice(start, start + EVALUATION_BATCH) for start in range(0, count, EVALUATION_BATCH))
