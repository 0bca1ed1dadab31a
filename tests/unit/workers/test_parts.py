"""A batch in parts: even parts, and the gradients of the whole."""

import pytest
import torch
from torch.nn import functional

from models.layers import LayerOptions
from models.nets import build_network
from workers.data.loader import Batch
from workers.parts import Thresholds, parts_of


def batch(count, *, frames=()):
    x = torch.randn(*frames, count, 1, 2, 2)
    y = torch.arange(count)
    return Batch(x=x, y_B=y, target=y)


@pytest.mark.parametrize("frames", [(), (3,)])
@pytest.mark.parametrize(
    ("samples", "parts", "sizes"),
    [(8, 1, [8]), (8, 3, [3, 3, 2]), (5, 4, [3, 2]), (3, 4, [3]), (1, 2, [1])],
)
def test_a_batch_is_cut_into_even_parts_none_of_a_single_sample(samples, parts, sizes, frames):
    whole = batch(samples, frames=frames)
    found = list(parts_of(whole, parts))
    assert [len(part.y_B) for part in found] == sizes
    assert torch.equal(torch.cat([part.y_B for part in found]), whole.y_B)
    assert torch.equal(torch.cat([part.x for part in found], dim=len(frames)), whole.x)


def gradients(count):
    torch.manual_seed(0)
    network = build_network(
        "conv-net",
        {"width": 4},
        sample_shape=(1, 8, 8),
        classes=10,
        options=LayerOptions(),
        search_first_layer=False,
    ).double()
    x, y = torch.randn(10, 1, 8, 8, dtype=torch.float64) * 4, torch.arange(10)
    network(x)  # sets the step sizes
    network.eval()  # as batch normalisation sees a part differently from the whole
    thresholds = Thresholds(network)
    for part in parts_of(Batch(x=x, y_B=y, target=y), count):
        share = len(part.y_B) / len(y)
        (functional.cross_entropy(network(part.x), part.target) * share).backward()
        thresholds.add(share)
    thresholds.give()
    return {name: value.grad for name, value in network.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_gradients_of_parts_add_up_to_those_of_the_whole(count):
    whole, parts = gradients(1), gradients(count)
    assert whole.keys() == parts.keys()
    assert any(bool(grad.any()) for name, grad in whole.items() if name.endswith("step_sizes"))
    for name, grad in whole.items():
        torch.testing.assert_close(parts[name], grad)
