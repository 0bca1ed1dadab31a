"""A real search whose trials are stopped early: what it uses, what it says, and that it repeats."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from service.store import Store
from tests.integration.running import here, work_off

EPOCHS, TRIALS, SAMPLES = 4, 8, 128
JOB: dict[str, Any] = {
    "name": "stopping",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "digits", "train_samples": SAMPLES},
    "budget": {"max": [2, 4]},
    "methods": ["random"],
    "seeds": [0, 1],
    "training": {"epochs": EPOCHS, "batch_size": 32},
    "compute": {"trials_per_study": TRIALS, "early_stopping": {"rule": "median", "min_epoch": 1}},
}


@pytest.fixture
def api(settings: Settings, store: Store) -> TestClient:
    return TestClient(create_app(settings, store), base_url=settings.url)


def searched(api: TestClient, settings: Settings, store: Store, name: str) -> str:
    """The path of a job that has run to its end."""
    path = str(api.post("/v1/jobs", json=JOB | {"name": name}).headers["location"])
    assert work_off(settings, store, here(settings)) == 1
    assert api.get(path).json()["state"] == "succeeded"
    return path


def test_trials_that_fall_behind_are_stopped_and_leave_their_compute_to_others(
    api: TestClient, settings: Settings, store: Store
) -> None:
    path = searched(api, settings, store, "first")
    stopped = api.get(f"{path}/trials?state=pruned&limit=100").json()["items"]
    assert stopped
    assert {trial["method"] for trial in stopped} == {"random"}
    for trial in stopped:
        assert trial["samples"] == trial["epochs_done"] * SAMPLES < EPOCHS * SAMPLES
        whole = api.get(f"/v1/trials/{trial['id']}").json()
        bars = whole["proposal"]["note"]["bars"]
        for epoch in whole["epochs"]:
            below = epoch["validation_accuracy"] < bars.get(str(epoch["epoch"]), 0)
            assert below == (epoch["epoch"] == trial["epochs_done"])
        assert whole["point_ids"] == []
    job = api.get(path).json()
    for study in job["studies"]:
        assert study["samples"] <= TRIALS * EPOCHS * SAMPLES
        assert study["samples"] > (TRIALS - 1) * EPOCHS * SAMPLES
    assert sum(study["trials_stopped"] for study in job["studies"]) == len(stopped)
    assert api.get(f"{path}/comparison").json()["refusal"] is None
    page = api.get(path.removeprefix("/v1")).text
    table = page[page.index('id="stopped"') : page.index('id="failures"')]
    rows = [int(epoch) for epoch in re.findall(rf"<td>(\d) of {EPOCHS}</td>", table)]
    assert sorted(rows) == sorted(trial["epochs_done"] for trial in stopped)

    again = searched(api, settings, store, "again")  # what the first trained to its end is taken over
    other = api.get(f"{again}/trials?state=pruned&limit=100").json()["items"]

    def place(trial: dict[str, Any]) -> tuple[Any, ...]:
        return trial["seed"], trial["number"], trial["epochs_done"], trial["message"]

    assert sorted(map(place, other)) == sorted(map(place, stopped))
    assert any(study["trials_reused"] for study in api.get(again).json()["studies"])


def test_early_stopping_that_could_never_stop_anything_is_refused(api: TestClient) -> None:
    stopping = {"early_stopping": {"min_epoch": EPOCHS}}
    answer = api.post("/v1/jobs", json=JOB | {"compute": stopping})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/compute/early_stopping/min_epoch")
    assert "1 to 3" in error["fix"]
