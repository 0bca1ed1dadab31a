"""What is measured is what its definition says, whether norms are folded or not."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

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


def unbalanced(images):
    """Of class 0 every image, of the classes 1 to 8 every fifth, of class 9 none."""
    kept = torch.tensor([y == 0 or (y < 9 and place % 5 == 0) for place, y in enumerate(images.y_N.tolist())])
    return replace(images, places_N=images.places_N[kept.numpy()], y_N=images.y_N[kept])


def test_balanced_accuracy_and_loss_are_those_of_other_implementations(trained, monkeypatch):
    network, images = trained[0].eval(), unbalanced(trained[1])
    monkeypatch.setattr(evaluation, "CPU_BATCHES", (8, 16))  # so that sums run over several batches
    found = evaluation.measure(network, images)
    with torch.inference_mode():
        logits = network(images.take(torch.arange(len(images))))
    expected = balanced_accuracy_score(images.y_N.numpy(), logits.argmax(1).numpy())
    assert found.balanced_accuracy == pytest.approx(expected)
    assert found.balanced_accuracy != pytest.approx(found.accuracy, abs=0.01)
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, images.y_N).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("shape", "batch"),
    [((1, 8, 8), 256), ((3, 32, 32), 64), ((1, 28, 28), 83), ((4, 2, 32, 32), 16), ((3, 224, 224), 8)],
)
def test_large_samples_are_evaluated_in_small_batches(trained, shape, batch):
    images = replace(trained[1], stored=np.zeros((1, *shape), np.uint8))
    assert evaluation.evaluation_batch(images) == batch
    on_gpu = SimpleNamespace(device=torch.device("cuda"))
    assert evaluation.evaluation_batch(images, on_gpu) == evaluation.GPU_BATCH


def test_a_loss_that_is_no_number_is_infinite(trained):
    network, images = trained
    with torch.no_grad():
        for weight in network.weight_parameters():
            weight.fill_(math.nan)
    assert evaluation.measure(network, images).loss == math.inf
