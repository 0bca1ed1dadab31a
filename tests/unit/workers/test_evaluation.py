"""Accuracy is the same whether norms are folded or not."""

import pytest
import torch

from models.layers import LayerOptions
from models.nets import build_network
from workers import evaluation
from workers.data import load_splits


@pytest.fixture(name="trained")
def _trained(tmp_path):
    """A network whose step sizes and norms have seen the images, and which tells classes apart a little."""
    data = load_splits("digits", folder=tmp_path, train_samples=200, split_seed=0)
    torch.manual_seed(0)
    network = build_network(
        "conv-net",
        {"width": 4},
        sample_shape=(1, 8, 8),
        classes=10,
        options=LayerOptions(),
        search_first_layer=False,
    )
    optimiser = torch.optim.SGD(network.weight_parameters(), lr=0.2)
    for _ in range(15):
        optimiser.zero_grad()
        x, y = data.train.take(torch.arange(200)), data.train.y_N
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
    return network, data.test


def test_accuracy_is_the_share_of_right_classes_folded_or_not(trained, monkeypatch):
    network, images = trained
    network.eval()
    expected = float((network(images.take(torch.arange(len(images)))).argmax(1) == images.y_N).float().mean())
    assert 0.2 < expected < 1
    assert evaluation.accuracy(network, images) == pytest.approx(expected)
    monkeypatch.setattr(evaluation, "FOLDED_FROM", 1)
    assert evaluation.accuracy(network, images) == pytest.approx(expected, abs=1 / len(images))


def test_a_folded_copy_is_measured_where_there_are_many_images(trained, monkeypatch):
    network, images = trained
    seen = []
    monkeypatch.setattr(evaluation, "FOLDED_FROM", 1)
    monkeypatch.setattr(evaluation, "folded", lambda net, _: seen.append(net) or net)
    evaluation.accuracy(network, images)
    assert seen == [network]
