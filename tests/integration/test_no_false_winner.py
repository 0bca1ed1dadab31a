"""A real search where there is nothing to find: digits whose labels are shuffled."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from sklearn.datasets import load_digits

from service.app import create_app
from service.comparison.views import ComparisonView
from service.settings import Settings
from service.store import Store
from tests.integration.running import here, work_off

JOB: dict[str, Any] = {
    "name": "shuffled",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "shuffled", "train_samples": 128},
    "budget": {"max": [2, 4]},
    "methods": ["gradient", "random"],
    "seeds": [0, 1, 2],
    "training": {"epochs": 2, "batch_size": 32},
    "compute": {"trials_per_study": 3},
}


def test_with_shuffled_labels_no_method_is_the_winner(settings: Settings, store: Store) -> None:
    images, labels = load_digits(return_X_y=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    np.savez(
        settings.data / "shuffled.npz",
        x=images.reshape(-1, 8, 8).astype(np.float32),
        y=np.random.default_rng(0).permutation(labels),
    )
    api = TestClient(create_app(settings, store), base_url=settings.url)
    path = api.post("/v1/jobs", json=JOB).headers["location"]
    assert work_off(settings, store, here(settings)) == 1
    for accuracy in ("test", "validation"):
        answer = api.get(f"{path}/comparison", params={"accuracy": accuracy})
        found = ComparisonView.model_validate(answer.json())
        assert found.refusal is None
        assert {pair.against for pair in found.pairs} == {"random", "uniform"}
        assert not all(pair.outcome == "better" for pair in found.pairs)
        assert not all(pair.outcome == "worse" for pair in found.pairs)
        assert max(method.hypervolume.value for method in found.methods) < 0.2
