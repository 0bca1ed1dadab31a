"""The events of many jobs: whose they are, and that one committed late is not passed over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from service.api import many_events
from service.api.many_events import LATE_SECONDS, Floor
from service.views import EventView

MakeJob = Callable[..., str]


def heard(api: TestClient, **query: object) -> list[EventView]:
    answer = api.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [EventView.model_validate_json(line) for line in lines]


def test_all_jobs_or_some_are_heard(api: TestClient, job_with_points: MakeJob) -> None:
    one, other = job_with_points(), job_with_points()
    whole = heard(api, after=0)
    assert {event.job_id for event in whole} == {one, other}
    assert [event.id for event in whole] == sorted(event.id for event in whole)
    assert heard(api, after=0, job=one) == [event for event in whole if event.job_id == one]
    ends = heard(api, after=0, kind="job_state", job=[one, other])
    assert [event.data["state"] for event in ends].count("succeeded") == 2
    assert heard(api, after=whole[2].id) == whole[3:]
    assert heard(api, after=0, label="none:such") == []


def test_what_is_there_already_is_left_out_without_an_id(api: TestClient, job_with_points: MakeJob) -> None:
    job_with_points()
    assert heard(api) == []


def test_the_stream_ends_with_when_to_come_again(api: TestClient, job_with_points: MakeJob) -> None:
    job_with_points()
    assert "retry: 3000" in api.get("/v1/events?after=0&wait=0.6").text


def test_a_browser_goes_on_from_the_last_event(api: TestClient, job_with_points: MakeJob) -> None:
    job_with_points()
    whole = heard(api, after=0)
    answer = api.get("/v1/events?after=0", headers={"Last-Event-ID": str(whole[1].id)})
    assert f"id: {whole[2].id}\n" in answer.text
    assert f"id: {whole[1].id}\n" not in answer.text


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("kind=news", "kind"), ("wait=4000", "wait"), ("after=-1", "after"), ("label=%20", "label")],
)
def test_a_bad_choice_is_named(api: TestClient, query: str, parameter: str) -> None:
    answer = api.get(f"/v1/events?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"].startswith(parameter)


@pytest.mark.parametrize("query", ["job=job-none", "batch=batch-none"])
def test_what_is_not_there_is_not_found(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/events?{query}").status_code == 404


def told(floor: Floor, ids: list[int], now: float, newest: int | None = None) -> list[int]:
    """One look at the ids that are committed by now."""
    above = [one for one in ids if one > floor.after][: many_events.MOST_IDS]
    look = floor.look(above, newest or max(ids, default=0))
    floor.tell(look, now)
    return list(look.ids)


def test_an_id_that_is_committed_late_is_told_once() -> None:
    floor = Floor(10)
    assert told(floor, [9, 10, 12], now=0.0) == [12]
    assert told(floor, [9, 10, 12], now=1.0) == []
    assert told(floor, [9, 10, 11, 12, 13], now=2.0) == [11, 13]
    assert told(floor, [9, 10, 11, 12, 13], now=3.0) == []


def test_the_floor_rises_with_the_newest_id_of_anybody() -> None:
    floor = Floor(0)
    assert told(floor, [3], now=0.0, newest=900) == [3]
    assert told(floor, [3], now=LATE_SECONDS, newest=901) == []
    assert floor.after == 900


def test_a_long_past_is_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_events, "MOST_IDS", 30)
    monkeypatch.setattr(many_events, "BATCH", 20)
    floor, ids, seen = Floor(0), list(range(1, 101)), []
    for step in range(200):
        seen += told(floor, ids, now=step * LATE_SECONDS / 4)
    assert seen == ids
