"""The difference of two points: its numbers, over REST, as a page, in the client and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from models.allocation import Allocation, LayerBits
from service.cli import app as command_line
from service.client import BitfrontClient
from service.differences.reading import layer_differences, number_differences
from service.store import Store

MakeJob = Callable[..., str]
NOWHERE = "point-0000000000000000"


def bits(steps: int, spike: int, weight: int) -> LayerBits:
    return LayerBits.uniform(steps=steps, spike_bits=spike, weight_bits=weight)


widths = st.integers(1, 8)
allocations = st.dictionaries(st.sampled_from("abcd"), st.builds(bits, widths, widths, widths)).map(
    lambda layers: Allocation(layers=layers)
)


class TestLayers:
    @given(allocations, allocations)
    def test_swapping_the_points_turns_every_change_around(self, a: Allocation, b: Allocation) -> None:
        there = {one.layer: one for one in layer_differences(a, b)}
        back = {one.layer: one for one in layer_differences(b, a)}
        assert there.keys() == back.keys() == dict(a).keys() | dict(b).keys()
        for name, one in there.items():
            other = back[name]
            assert (one.a, one.b, one.same) == (other.b, other.a, other.same)
            assert (one.change is None) == (other.change is None) == (one.a is None or one.b is None)
            if one.change is not None and other.change is not None:
                assert one.change.steps == -other.change.steps
                assert one.change.spike_bits == -other.change.spike_bits
                assert one.change.weight_bits == -other.change.weight_bits

    @given(allocations)
    def test_a_point_does_not_differ_from_itself(self, a: Allocation) -> None:
        assert all(one.same for one in layer_differences(a, a))

    def test_channels_of_their_own_are_told_from_their_mean(self) -> None:
        plain = Allocation(layers={"a": bits(1, 2, 3)})
        mixed = Allocation(layers={"a": bits(1, 2, 3).with_channels([2, 4])})
        (one,) = layer_differences(plain, mixed)
        assert one.change is not None
        assert (one.same, one.change.weight_bits) == (False, 0)


def test_what_was_not_measured_has_no_difference() -> None:
    x, y, z = number_differences({"x": 1.0, "y": None}, {"x": 3.0, "z": 2.0})
    assert (x.difference, y.difference, z.difference) == (2.0, None, None)
    assert (z.a, z.b) == (None, 2.0)


@pytest.fixture
def points(api: TestClient, job_with_points: MakeJob) -> list[str]:
    """Two points of one job, whose accuracies are 0.5 and 0.75."""
    job_id = job_with_points(accuracies={("random", 0): 0.5, ("random", 1): 0.75})
    found = api.get(f"/v1/jobs/{job_id}/points").json()["items"]
    chosen = [one for one in found if one["method"] == "random"]
    return [one["id"] for one in sorted(chosen, key=lambda one: one["seed"])]


class TestOverHttp:
    def test_it_has_the_numbers_of_both(self, api: TestClient, points: list[str]) -> None:
        found: dict[str, Any] = api.get(f"/v1/points/{points[0]}/difference/{points[1]}").json()
        measures = {one["name"]: one for one in found["measures"]}
        assert measures["validation_accuracy"]["difference"] == 0.25
        assert {one["name"]: one["difference"] for one in found["costs"]}["bit_budget"] == 1.0
        assert found["same_network"]
        assert [one["same"] for one in found["layers"]] == [True]

    def test_its_layers_come_as_csv(self, api: TestClient, points: list[str]) -> None:
        answer = api.get(f"/v1/points/{points[0]}/difference/{points[1]}?format=csv")
        head, layer = answer.text.splitlines()
        cells = dict(zip(head.split(","), layer.split(","), strict=True))
        assert (cells["layer"], cells["a_steps"], cells["b_weight_bits"]) == ("conv1", "1", "2.0")
        assert (cells["change_spike_bits"], cells["same"]) == ("0.0", "True")

    def test_costs_counted_by_other_versions_are_not_subtracted(
        self, api: TestClient, api_store: Store, points: list[str]
    ) -> None:
        with api_store.connection() as connection:
            old = text(
                "UPDATE points SET cost_versions = json_set(cost_versions, '$.s_ace', 99) WHERE id = :id"
            )
            connection.execute(old, {"id": points[1]})
        costs = api.get(f"/v1/points/{points[0]}/difference/{points[1]}").json()["costs"]
        unknown = [one["name"] for one in costs if one["difference"] is None]
        assert unknown == ["s_ace"]

    def test_there_is_none_of_a_point_that_is_not_there(self, api: TestClient, points: list[str]) -> None:
        for pair in (f"{points[0]}/difference/{NOWHERE}", f"{NOWHERE}/difference/{points[0]}"):
            assert api.get(f"/v1/points/{pair}").status_code == 404
            assert api.get(f"/points/{pair}").status_code == 404

    def test_the_page_says_what_differs(self, api: TestClient, points: list[str]) -> None:
        page = api.get(f"/points/{points[0]}/difference/{points[1]}").text
        assert "+25.00 points" in page
        assert "Both give every layer the same bits." in page
        assert page.count('class="bar') == 6
        assert f'<option value="{points[1]}">' in api.get(f"/points/{points[0]}").text

    def test_the_form_leads_to_the_page(self, api: TestClient, points: list[str]) -> None:
        asked = f"/points/{points[0]}/difference"
        answer = api.get(f"{asked}?other=%20{points[1]}", follow_redirects=False)
        assert answer.headers["location"] == f"{asked}/{points[1]}"
        assert api.get(f"{asked}?other=").url.path == f"/points/{points[0]}"
        assert api.get(f"{asked}?other=../../etc").status_code == 404


def test_the_command_and_the_client_show_it(url: str, points: list[str]) -> None:
    with BitfrontClient(url) as client:
        found = client.difference(*points)
    asked = ["--url", url, "diff", *points]
    shown = CliRunner().invoke(command_line, asked, env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "+25.00" in shown.output
    assert json.loads(CliRunner().invoke(command_line, [*asked, "--json"]).output) == found.model_dump()
