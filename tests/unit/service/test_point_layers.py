"""The layers of a point: their bits, and shares that add up to the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.client import BitfrontClient
from service.point_layers import PointLayerView, layers_of
from service.views import LayerCostView, PointView
from tests.unit.service.test_pages import plain

MakeJob = Callable[..., str]
BITS = {"steps": 2, "spike_bits": [3, 1], "weight_bits": 4}


@pytest.fixture
def point(api: TestClient, job_with_points: MakeJob) -> PointView:
    job_id = job_with_points()
    first = api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]["id"]
    return PointView.model_validate(api.get(f"/v1/points/{first}").json())


def cost(name: str, *, searched: bool, s_ace: float, cycles: float) -> LayerCostView:
    rest = dict.fromkeys(("compute_cycles", "memory_cycles", "utilisation", "energy_uj"), 1.0)
    sizes = {"weight_kib": 1, "spike_kib": 1, "table": None}
    return LayerCostView(name=name, searched=searched, s_ace=s_ace, cycles=cycles, **sizes, **rest)


def bounded_by(point: PointView, **budget: Any) -> list[PointLayerView]:
    """The layers of a point of three layers, the first not searched, in a job with that budget."""
    layers = [
        cost("first", searched=False, s_ace=10, cycles=50),
        cost("a", searched=True, s_ace=30, cycles=30),
        cost("b", searched=True, s_ace=60, cycles=20),
    ]
    changed = {
        "allocation": {"a": BITS, "b": BITS},
        "rates": {"a": [0.2, 0.4]},
        "layer_costs": layers,
        "spec": point.spec | {"budget": {"max": [1], **budget}},
    }
    return layers_of(point.model_copy(update=changed))


def test_shares_are_of_all_bit_operations_and_of_the_budget(point: PointView) -> None:
    rows = bounded_by(point, metric="cycles")
    assert [row.layer for row in rows] == ["first", "a", "b"]
    assert [row.s_ace_share for row in rows] == [0.1, 0.3, 0.6]
    assert [row.budget_share for row in rows] == [0.5, 0.3, 0.2]


def test_layers_that_the_budget_does_not_count_have_no_share_of_it(point: PointView) -> None:
    rows = bounded_by(point, metric="cycles", scope="searched")
    assert [row.budget_share for row in rows] == [None, 0.6, 0.4]
    rows = bounded_by(point, metric="s_ace")
    assert [row.budget_share for row in rows] == pytest.approx([None, 1 / 3, 2 / 3])


@pytest.mark.parametrize("metric", ["bit_budget", "spike_kib", "ns_ace"])
def test_a_budget_that_is_no_sum_over_layers_is_not_shared(point: PointView, metric: str) -> None:
    assert {row.budget_share for row in bounded_by(point, metric=metric)} == {None}


def test_searched_layers_have_bits_and_measured_ones_a_rate(point: PointView) -> None:
    first, a, b = bounded_by(point, metric="bit_budget")
    assert (first.searched, first.steps, first.spike_bits) == (False, None, None)
    assert (a.steps, a.spike_bits, a.weight_bits) == (2, [3, 1], 4)
    assert (a.firing_rate, b.firing_rate) == (pytest.approx(0.3), None)


def test_without_a_layer_table_only_bits_are_told(point: PointView) -> None:
    (row,) = layers_of(point.model_copy(update={"layer_costs": []}))
    assert (row.layer, row.steps, row.s_ace_share, row.cycles) == ("conv1", 1, None, None)


def test_the_page_and_the_client_have_them(api: TestClient, url: str, point: PointView) -> None:
    with BitfrontClient(url) as client:
        assert client.point_layers_csv(point.id).startswith("layer,searched,steps,")
    text = plain(api.get(f"/points/{point.id}").text)
    assert "conv1 1 × 2 × 2" in text
    assert "100.0" in text
