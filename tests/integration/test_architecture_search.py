"""A real search over architecture and bits; its stored points are computed again from their own networks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi.testclient import TestClient
from safetensors.torch import load

from models.allocation import Allocation
from models.cost import BUDGET_METRICS, LayerShape, Scope, costs
from models.layers import LayerOptions
from models.nets import build_network, layer_table
from search.architecture import Chosen, chosen_of, words
from search.job import JobSpec
from service.app import create_app
from service.settings import Settings
from service.store import Store
from service.views import PointView
from tests.integration.running import here, work_off
from workers.report import TrialRequest
from workers.trial import run_trial

IMAGE, CLASSES = (1, 8, 8), 10
SCOPES: tuple[Scope, ...] = ("searched", "all")
WEIGHT_KIB = 3.0
"""More than the small network needs, and less than the large one does with many bits."""
JOB = JobSpec.model_validate(
    {
        "name": "architecture",
        "architecture": {"name": "conv-net", "kernel": 3},
        "search_space": {"width": [4, 8], "depth": [3, 4]},
        "dataset": {"name": "digits", "train_samples": 256},
        "budget": {"max": [3, 8]},
        "constraints": [{"metric": "weight_kib", "max": WEIGHT_KIB}],
        "methods": ["hybrid", "optuna-tpe", "random"],
        "seeds": [0],
        "training": {"epochs": 1},
        "compute": {"trials_per_study": 5, "concurrent_trials": 1},
    }
)


@cache
def layers_of(settings: Chosen) -> tuple[LayerShape, ...]:
    """The layer table of an architecture, measured on its own network."""
    network = build_network(
        "conv-net",
        dict(settings),
        sample_shape=IMAGE,
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
    )
    return layer_table(network, IMAGE)


def test_points_of_several_architectures_cost_what_their_own_networks_cost(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    api = TestClient(create_app(settings, store), base_url=settings.url)
    path = api.post("/v1/jobs", json=JOB.to_json()).headers["location"]
    work_off(settings, store, here(settings))
    assert api.get(path).json()["state"] == "succeeded"
    points = [PointView.model_validate(one) for one in api.get(f"{path}/points?limit=100").json()["items"]]
    for method in JOB.all_methods():
        assert len({chosen_of(point.settings) for point in points if point.method == method}) > 1
    for point in points:
        check_costs(point)
        check_weights(api, point)
    learned = next(point for point in points if point.method == "hybrid" and point.settings["width"] == 8)
    check_rerun(learned, settings, tmp_path)
    page = api.get(f"/points/{learned.id}").text
    assert f"conv-net with {words(chosen_of(learned.settings))}" in page


def check_costs(point: PointView) -> None:
    """Those that were stored are those of the point's own network, within its budget and the constraint."""
    layers, allocation = layers_of(chosen_of(point.settings)), Allocation.from_json(point.allocation)
    for scope in SCOPES:
        again = costs(layers, allocation, scope)
        assert {metric: point.costs[scope][metric] for metric in BUDGET_METRICS} == again
    assert point.feasible
    assert point.costs["searched"]["bit_budget"] <= point.proposal["note"]["budget"] <= max(JOB.budget.max)
    assert point.costs["all"]["weight_kib"] <= WEIGHT_KIB


def check_weights(api: TestClient, point: PointView) -> None:
    """The checkpoint holds the network of the point's settings."""
    weights = load(api.get(f"/v1/points/{point.id}/checkpoint").content)
    assert weights["body.convs.0.operator.weight"].shape == (point.settings["width"], 1, 3, 3)
    assert f"body.convs.{point.settings['depth'] - 1}.operator.weight" in weights
    assert f"body.convs.{point.settings['depth']}.operator.weight" not in weights


def check_rerun(point: PointView, settings: Settings, folder: Path) -> None:
    """What was stored with a point trains it again."""
    request = TrialRequest(trial_id="again", spec=point.spec, proposal=point.proposal, seed=point.seed)
    outcome = run_trial(
        request, checkpoints=folder, data_folder=settings.data, threads=1, report=lambda _: None
    )
    (again,) = outcome.points
    assert again.allocation == point.allocation
    assert again.validation_accuracy == point.validation_accuracy
    assert again.test_accuracy == point.test_accuracy
