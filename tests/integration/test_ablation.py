"""Tiny real ablations on digits, from the request to the table and the figures."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.ablations.views import AblationView, VariantView
from service.app import create_app
from service.dispatcher import ray_runner
from service.settings import Settings
from service.store import Store
from service.views import PointView
from tests.integration.running import here, work_off

BUDGET = 4.0
JOB: dict[str, Any] = {
    "name": "tiny",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "digits", "train_samples": 128},
    "budget": {"max": [BUDGET]},
    "seeds": [0],
    "training": {"epochs": 2, "batch_size": 32},
    "compute": {"concurrent_trials": 2},
}


def test_every_variant_is_trained_and_holds_what_it_should(settings: Settings, store: Store) -> None:
    api = TestClient(create_app(settings, store), base_url=settings.url)
    path = api.post("/v1/ablations", json={"job": JOB}).headers["location"]
    assert work_off(settings, store, here(settings)) == 10  # 13 variants, of which four are the same
    found = AblationView.model_validate(api.get(path).json())
    variants = {variant.name: variant for group in found.groups for variant in group.variants}
    assert found.state == "succeeded"
    assert {len(variant.results[0].found) for variant in variants.values()} == {1}
    assert max(cost_of(variant) for variant in variants.values()) <= BUDGET
    check_what_is_held(api, variants)
    assert {bits["steps"] for bits in bits_of(api, variants["T = 2"])} == {2}
    assert variants["all together"].results == variants["search"].results
    check_figures(api, variants["all together"])


@pytest.mark.ray
def test_an_ablation_and_the_rerun_of_a_point_run_on_ray(
    ray_cluster: None, settings: Settings, store: Store
) -> None:
    api = TestClient(create_app(settings, store), base_url=settings.url)
    body = {"job": JOB, "groups": ["targets"]}
    path = api.post("/v1/ablations", json=body).headers["location"]
    assert work_off(settings, store, ray_runner(settings)) == 2
    found = AblationView.model_validate(api.get(path).json())
    assert found.state == "succeeded"
    assert [variant.method for variant in found.groups[0].variants] == ["gradient", "gradient-targets"]
    assert [len(variant.results[0].found) for variant in found.groups[0].variants] == [1, 1]
    point = found.groups[0].variants[0].results[0].found[0].point_id
    at = api.post(f"/v1/points/{point}/rerun").headers["location"]
    assert work_off(settings, store, ray_runner(settings)) == 1
    again = api.get(at).json()
    assert (again["state"], again["same"], again["same_weights"]) == ("succeeded", True, True)
    assert again["epochs_done"] == 2
    assert not (settings.checkpoints / again["id"]).exists()


def cost_of(variant: VariantView) -> float:
    """The greatest realised cost of a variant."""
    cost = variant.results[0].cost
    assert cost is not None
    return cost.greatest


def check_what_is_held(api: TestClient, variants: dict[str, VariantView]) -> None:
    """What a variant does not learn is in every layer what it is with fixed bits."""
    kinds = {
        "time steps alone": "steps",
        "spike bits alone": "spike_bits",
        "weight bits alone": "weight_bits",
    }
    (fixed,) = {tuple(sorted(bits.items())) for bits in bits_of(api, variants["fixed"])}
    for name, learned in kinds.items():
        for bits in bits_of(api, variants[name]):
            held = {kind: value for kind, value in dict(fixed).items() if kind != learned}
            assert {kind: bits[kind] for kind in held} == held, name


def bits_of(api: TestClient, variant: VariantView) -> list[dict[str, int]]:
    """The bits of each layer of a variant's point; spike bits are those of the first step."""
    point = PointView.model_validate(api.get(f"/v1/points/{variant.results[0].found[0].point_id}").json())
    return [{**layer, "spike_bits": layer["spike_bits"][0]} for layer in point.allocation.values()]


def check_figures(api: TestClient, variant: VariantView) -> None:
    """Curves over both epochs, which end at the bits of the point, and bars of each layer."""
    (job_id,) = variant.job_ids
    figures = {figure["key"]: figure for figure in api.get(f"/v1/jobs/{job_id}/figures").json()}
    (series,) = figures["weight-bits-over-epochs"]["series"]
    assert series["name"] == "gradient ≤ 4"
    assert [point["x"] for point in series["points"]] == [1, 2]
    bits = variant.results[0].weight_bits
    assert bits is not None
    assert series["points"][-1]["values"]["0"] == pytest.approx(bits.mean)
    layers = [point["x"] for point in figures["layers-at-4"]["series"][0]["points"]]
    assert len(layers) == len(set(layers)) > 1
    assert api.get(f"/jobs/{job_id}/figures").status_code == 200
