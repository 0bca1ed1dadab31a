"""A real search over architecture and bits; its stored points are computed again from their own networks."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from fastapi.testclient import TestClient
from safetensors.torch import load

from models.allocation import Allocation
from models.cost import LayerShape, Scope, costs
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
        "methods": ["hybrid", "hybrid-front", "hybrid-uniform", "optuna-tpe", "random", "uniform-front"],
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
        tried = {chosen_of(point.settings) for point in points if point.method == method}
        assert tried == {JOB.architectures()[0]} if method == "uniform-front" else len(tried) > 1
    for point in points:
        check_costs(point)
        check_layer_costs(api, point)
        check_weights(api, point)
    for method in ("hybrid", "hybrid-front", "hybrid-uniform"):
        learned = next(point for point in points if point.method == method and point.settings["width"] == 8)
        check_rerun(learned, settings, tmp_path / method)
    page = api.get(f"/points/{learned.id}").text
    assert f"conv-net with {words(chosen_of(learned.settings))}" in page


def check_costs(point: PointView) -> None:
    """Those that were stored are those of the point's own network, within its budget and the constraint."""
    layers, allocation = layers_of(chosen_of(point.settings)), Allocation.from_json(point.allocation)
    basis = JobSpec.model_validate(point.spec).cost_basis()
    for scope in SCOPES:
        assert point.costs[scope] == costs(layers, allocation, scope, point.rates, basis)
    assert point.feasible
    note = point.proposal["note"]
    greatest = max(note.get("budgets", [note.get("budget", max(JOB.budget.max))]))
    assert point.costs["searched"]["bit_budget"] <= greatest <= max(JOB.budget.max)
    assert point.costs["all"]["weight_kib"] <= WEIGHT_KIB


def check_layer_costs(api: TestClient, point: PointView) -> None:
    """The costs of its layers are shown, and are those of its own network."""
    shown = PointView.model_validate(api.get(f"/v1/points/{point.id}").json()).layer_costs
    assert [one.name for one in shown] == [layer.name for layer in layers_of(chosen_of(point.settings))]
    assert math.isclose(sum(one.cycles for one in shown), point.costs["all"]["cycles"])


def test_points_that_are_reused_get_this_jobs_costs_on_their_own_architecture(
    settings: Settings, store: Store
) -> None:
    api = TestClient(create_app(settings, store), base_url=settings.url)
    first = JOB.model_copy(update={"methods": ("random",)}).to_json()
    found = []
    for job in (first, first | {"name": "again", "hardware": {"rows": 4}}):
        path = api.post("/v1/jobs", json=job).headers["location"]
        work_off(settings, store, here(settings))
        found.append(api.get(f"{path}/points?limit=100").json()["items"])
    before, after = ([PointView.model_validate(one) for one in points] for points in found)
    assert len({chosen_of(point.settings) for point in after}) > 1
    assert [one.checkpoint_sha256 for one in after] == [one.checkpoint_sha256 for one in before]
    assert all(api.get(f"/v1/trials/{one.trial_id}").json()["reused_from"] for one in after)
    for old, new in zip(before, after, strict=True):
        check_costs(new)
        check_layer_costs(api, new)
        assert new.costs["all"]["cycles"] > old.costs["all"]["cycles"]


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
    found = [(one.allocation, one.validation_accuracy, one.test_accuracy) for one in outcome.points]
    assert (point.allocation, point.validation_accuracy, point.test_accuracy) in found
