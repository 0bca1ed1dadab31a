"""The difference of two points: by hand, over REST, the client and the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import app
from service.client import BitfrontClient
from service.difference.subtract import difference_of
from service.difference.views import PointDifferenceView
from service.views import PointView

MakeJob = Callable[..., str]


def two(api: TestClient, job_id: str) -> list[PointView]:
    """Two points of a job with other seeds."""
    items = api.get(f"/v1/jobs/{job_id}/points").json()["items"]
    points = [PointView.model_validate(item) for item in items]
    return [next(point for point in points if point.seed == seed) for seed in (0, 1)]


def with_bits(point: PointView, **layers: dict[str, Any]) -> PointView:
    """The point with another allocation."""
    return point.model_copy(update={"allocation": layers})


def bits(spikes: list[int], weight: int) -> dict[str, Any]:
    """A layer's bits as JSON."""
    return {"steps": len(spikes), "spike_bits": spikes, "weight_bits": weight}


def test_subtracts_layers_by_name_and_says_what_only_one_has(
    api: TestClient, job_with_points: MakeJob
) -> None:
    a, b = two(api, job_with_points())
    first = with_bits(a, one=bits([2, 4], 3), two=bits([1, 3], 2), gone=bits([1], 1))
    second = with_bits(b, one=bits([2], 5), two=bits([3, 1], 2), new=bits([1], 1))
    found = {layer.name: layer for layer in difference_of(first, second).layers}
    assert list(found) == ["one", "two", "gone", "new"]
    assert (found["one"].steps, found["one"].spike_bits, found["one"].weight_bits) == (-1, -1.0, 2)
    assert found["one"].changed == ["steps", "spike_bits", "weight_bits"]
    assert (found["two"].spike_bits, found["two"].changed) == (0, ["spike_bits"])  # the mean stays
    assert (found["gone"].second, found["new"].first, found["gone"].steps) == (None, None, None)


def test_costs_of_other_versions_are_not_subtracted(api: TestClient, job_with_points: MakeJob) -> None:
    a, b = two(api, job_with_points())
    newer = b.model_copy(update={"cost_versions": {**b.cost_versions, "sops": 99}})
    found = {(cost.scope, cost.name): cost.difference for cost in difference_of(a, newer).costs}
    assert found["searched", "bit_budget"] == 1.0
    assert found["all", "sops"] is None


def test_rest_client_and_command_line_tell_the_same(
    url: str, api: TestClient, job_with_points: MakeJob
) -> None:
    a, b = (point.id for point in two(api, job_with_points()))
    with BitfrontClient(url) as client:
        told = client.difference(a, b)
    measures = {measure.name: measure.difference for measure in told.measures}
    assert measures["validation_accuracy"] is not None
    assert abs(measures["validation_accuracy"] - 0.1) < 1e-9
    printed = CliRunner().invoke(app, ["--url", url, "diff", a, b, "--json"])
    assert PointDifferenceView.model_validate_json(printed.output) == told
    shown = CliRunner().invoke(app, ["--url", url, "diff", a, b]).output
    assert "conv1" in shown
    assert "validation accuracy" in shown
