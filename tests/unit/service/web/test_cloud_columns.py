"""The points of a cloud as columns: nothing is lost but digits that no chart shows."""

from __future__ import annotations

import pytest

from service.clouds.views import CloudJob, CloudPoint, CloudView
from service.web.cloud_columns import cloud_columns


def point(number: int, job: str, method: str, **changes: object) -> CloudPoint:
    known = {
        "id": f"point-{number}", "job_id": job, "method": method, "seed": number, "cost": 1 / 3,
        "score": 2 / 3, "test_score": 0.5, "feasible": True, "on_front": False, "on_own_front": True,
        "mean_weight_bits": 2.123456, "mean_spike_bits": None, "mean_steps": 1.0,
        "costs": {"bit_budget": 123456.789},
    }  # fmt: skip
    return CloudPoint.model_validate({**known, **changes})


@pytest.fixture
def cloud() -> CloudView:
    points = [point(0, "job-b", "random", cost=0.0), point(1, "job-a", "uniform", costs={})]
    jobs = [CloudJob(job_id=job, name=job, state="running", points=1) for job in ("job-a", "job-b")]
    return CloudView(
        metric="bit_budget", scope="searched", objective="accuracy", metrics=["bit_budget"], same_data=True,
        jobs=jobs, methods=["uniform", "random"], seeds=[0, 1], total=5, shown=2, points=points,
    )  # fmt: skip


def test_every_field_is_a_column(cloud: CloudView) -> None:
    columns = cloud_columns(cloud)["points"]
    assert columns.keys() == CloudPoint.model_fields.keys()
    flat = {name: column for name, column in columns.items() if name != "costs"}
    assert {len(column) for column in [*flat.values(), *columns["costs"].values()]} == {2}


def test_places_lead_to_methods_and_jobs(cloud: CloudView) -> None:
    packed = cloud_columns(cloud)
    assert [packed["methods"][place] for place in packed["points"]["method"]] == ["random", "uniform"]
    assert [packed["jobs"][place]["job_id"] for place in packed["points"]["job_id"]] == ["job-b", "job-a"]


def test_what_is_drawn_keeps_nine_digits_and_the_rest_four(cloud: CloudView) -> None:
    columns = cloud_columns(cloud)["points"]
    assert columns["cost"] == [0.0, 0.333333333]
    assert columns["score"] == [0.666666667] * 2
    assert columns["costs"] == {"bit_budget": [123500.0, None]}
    assert (columns["mean_weight_bits"], columns["mean_spike_bits"]) == ([2.123] * 2, [None, None])
    assert (columns["feasible"], columns["on_front"]) == ([1, 1], [0, 0])


def test_the_rest_of_the_cloud_is_as_rest_has_it(cloud: CloudView) -> None:
    packed, whole = cloud_columns(cloud), cloud.model_dump(mode="json")
    assert {**packed, "points": None} == {**whole, "points": None}
