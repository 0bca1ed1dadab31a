"""The page of the difference of two points, and the form that leads to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from fastapi.testclient import TestClient

from service.difference.subtract import difference_of
from service.views import PointView
from service.web.difference_page import difference_chart

MakeJob = Callable[..., str]


def two(api: TestClient, job_id: str) -> list[PointView]:
    """Two points of a job."""
    items = api.get(f"/v1/jobs/{job_id}/points").json()["items"]
    return [PointView.model_validate(item) for item in items[:2]]


def test_the_form_of_a_point_leads_to_the_page(api: TestClient, job_with_points: MakeJob) -> None:
    a, b = two(api, job_with_points())
    assert f'action="/points/{a.id}/difference"' in api.get(f"/points/{a.id}").text
    answer = api.get(f"/points/{a.id}/difference", params={"other": f" {b.id} "})
    assert answer.url.path == f"/points/{a.id}/difference/{b.id}"
    assert all(text in answer.text for text in ("B less A", "conv1", a.id, b.id, "<svg"))
    nothing = api.get(f"/points/{a.id}/difference", params={"other": "../x"})
    assert nothing.status_code == 404


def test_first_bars_are_hollow_and_absent_layers_have_none(api: TestClient, job_with_points: MakeJob) -> None:
    a, b = two(api, job_with_points())
    more = {**b.allocation, "conv2": {"steps": 2, "spike_bits": [1, 4], "weight_bits": 4}}
    chart = difference_chart(difference_of(a, b.model_copy(update={"allocation": more})))
    steps = chart.rows[0].bars
    assert [(bar.text, bar.hollow) for bar in steps] == [("1", True), ("1", False), ("2", False)]
    assert steps[2].height == 2 * steps[0].height
    assert all(one.x + one.width <= other.x for one, other in pairwise(steps))
