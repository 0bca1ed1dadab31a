"""A real search on digits of which one class has five times the images of each other one."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from sklearn.datasets import load_digits

from search.pareto import is_on_front
from service.app import create_app
from service.settings import Settings
from service.store import Store
from tests.integration.running import here, work_off

JOB: dict[str, Any] = {
    "name": "unbalanced",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "unbalanced"},
    "objective": "balanced_accuracy",
    "budget": {"max": [2, 4]},
    "methods": ["optuna-nsga2"],
    "seeds": [0],
    "training": {"epochs": 6, "batch_size": 16},
    "compute": {"trials_per_study": 8},
}


def test_the_front_of_a_search_on_unbalanced_classes_is_by_its_objective(
    settings: Settings, store: Store
) -> None:
    images, labels = load_digits(return_X_y=True)
    kept = np.concatenate(
        [np.flatnonzero(labels == digit)[: 150 if digit == 0 else 30] for digit in range(10)]
    )
    settings.data.mkdir(parents=True, exist_ok=True)
    np.savez(
        settings.data / "unbalanced.npz",
        x=images[kept].reshape(-1, 8, 8).astype(np.float32),
        y=labels[kept],
    )
    api = TestClient(create_app(settings, store), base_url=settings.url)
    path = api.post("/v1/jobs", json=JOB).headers["location"]
    assert work_off(settings, store, here(settings)) == 1
    points = api.get(f"{path}/points?limit=100").json()["items"]
    assert len(points) == 16
    assert all(one["validation_balanced_accuracy"] < one["validation_accuracy"] for one in points)
    front = {one["id"] for one in api.get(f"{path}/front").json()["points"]}

    def best_by(measure: str) -> set[str]:
        costs = [one["costs"]["searched"]["bit_budget"] for one in points]
        kept = is_on_front(costs, [one[measure] for one in points])
        return {one["id"] for one, stays in zip(points, kept, strict=True) if stays}

    def ranked_by(measure: str) -> list[str]:
        return [one["id"] for one in sorted(points, key=lambda one: one[measure])]

    assert front == best_by("validation_balanced_accuracy")
    assert ranked_by("validation_balanced_accuracy") != ranked_by("validation_accuracy")
