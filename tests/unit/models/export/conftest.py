"""Small networks of every architecture with bits of every kind, trained a few steps, and their exports."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from models.allocation import LayerBits
from models.export import Export, InputSpec, make_export
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import Network, build_network

SHAPE = (2, 9, 7)
READER = Path(__file__).parents[4] / "docs" / "numpy_reader.py"
Make = Callable[..., Network]
MakeExport = Callable[[Network], Export]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Maps this small take longer to share than to compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def samples() -> torch.Tensor:
    """Images [8, C, H, W]."""
    return torch.randn(8, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def events() -> torch.Tensor:
    """Event data of three frames, [3, 8, C, H, W]."""
    return torch.randn(3, 8, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def make(samples: torch.Tensor, events: torch.Tensor) -> Make:
    """Builds a network, trains it for three steps, and gives every layer bits of its own."""

    def build(name: str, settings: dict[str, object], *, frames: int = 0, **options: object) -> Network:
        torch.manual_seed(1)
        network = build_network(
            name,
            settings,
            sample_shape=SHAPE,
            classes=5,
            options=LayerOptions(**options),
            search_first_layer=False,
            frames=frames,
        )
        return trained(network, events if frames else samples)

    return build


def trained(network: Network, x: torch.Tensor) -> Network:
    """Three steps, then bits that differ from layer to layer, then statistics for those."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    for _ in range(3):
        optimiser.zero_grad()
        network(x).square().mean().backward()
        optimiser.step()
        network.constrain()
    for layer in network.layers.values():
        if layer.neuron.shifts is not None:  # three steps move them little
            nn.init.uniform_(layer.neuron.shifts, -0.4, 0.4)
    for place, layer in enumerate(network.searched.values()):
        layer.freeze(_bits(place, layer))
    with torch.no_grad():
        network(x)
    return network.eval()


def _bits(place: int, layer: object) -> LayerBits:
    steps = 1 + place % 4
    spike_bits = tuple(1 + (place + step) % 6 for step in range(steps))
    if not isinstance(layer, AdaptiveLayer):
        return LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=1)
    bits = LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=1 + place % 8)
    if not layer.per_channel:
        return bits
    return bits.with_channels([1 + (place + channel) % 8 for channel in range(len(layer.operator.weight))])


@pytest.fixture(scope="session")
def export_of_network() -> MakeExport:
    """Exports a network whose samples are floats that are not scaled."""

    def build(network: Network) -> Export:
        framed = any(layer.options.temporal for layer in network.layers.values())
        given = InputSpec(
            shape=SHAPE,
            frames=3 if framed else 0,
            stored="float32",
            limit=0,
            mean_C=np.zeros(2, np.float32),
            scale_C=np.ones(2, np.float32),
        )
        return make_export(network, given)

    return build


@pytest.fixture(scope="session")
def reader() -> ModuleType:
    """docs/numpy_reader.py."""
    spec = importlib.util.spec_from_file_location("numpy_reader", READER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
