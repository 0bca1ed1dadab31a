"""With its checkpoints in a bucket a job trains, resumes, exports, is saved and restored as with a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from search.job import JobSpec
from service.app import create_app
from service.backup import restore, save
from service.settings import Settings
from service.store import Store
from tests.integration.running import work_off
from tests.s3_server import CREDENTIALS, S3Server
from workers.places import Where
from workers.report import TrialRequest
from workers.trial import TrialRun

JOB: dict[str, Any] = {
    "name": "bucket",
    "architecture": {"name": "conv-net", "width": 2},
    "dataset": {"name": "digits", "train_samples": 64},
    "budget": {"max": [4]},
    "methods": ["gradient"],
    "seeds": [0],
    "training": {"epochs": 3, "batch_size": 32},
    "compute": {"trials_per_study": 1},
}


def interrupted(settings: Settings, checkpoints: Where) -> Callable[[Any, JobSpec], None]:
    """Trains one trial after the other; after every epoch another process takes the trial up."""

    def run(feed: Any, spec: JobSpec) -> None:
        while isinstance(request := feed.next_trial(), TrialRequest):
            feed.started(request.trial_id)
            finished = False
            while not finished:
                places = {"checkpoints": checkpoints, "data_folder": settings.data}
                trial = TrialRun(request, threads=1, **places)
                if not trial.finished:
                    feed.epoch(request.trial_id, trial.step())
                finished = trial.finished
            feed.succeeded(request.trial_id, trial.end())

    return run


def points_of(api: TestClient) -> list[dict[str, Any]]:
    (job,) = api.get("/v1/jobs").json()["items"]
    assert job["state"] == "succeeded"
    return list(api.get(f"/v1/jobs/{job['id']}/points").json()["items"])


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    return f"s3://{s3_server.new_bucket()}/checkpoints"


def test_a_bucket_serves_as_a_folder_does(tmp_path: Path, bucket: str) -> None:
    found = {}
    for name, url in (("folder", None), ("bucket", bucket)):
        settings = Settings(home=tmp_path / name, checkpoint_url=url)
        settings.home.mkdir()
        store = Store.open(settings.database)
        store.migrate()
        api = TestClient(create_app(settings, store), base_url=settings.url)
        assert api.post("/v1/jobs", json=JOB).status_code == 202
        assert work_off(settings, store, interrupted(settings, settings.checkpoint_place)) == 1
        found[name] = points_of(api)
        for point in found[name]:
            assert api.get(f"/v1/points/{point['id']}/checkpoint").status_code == 200
        assert api.get(f"/v1/points/{found[name][0]['id']}/export").status_code == 200
        (tmp_path / name / "backup.zip").unlink(missing_ok=True)
        assert save(store, settings.checkpoint_place, tmp_path / f"{name}.zip").missing == ()
        store.close()
    shas = {name: [point["checkpoint_sha256"] for point in points] for name, points in found.items()}
    assert shas["bucket"] == shas["folder"]
    assert not (tmp_path / "bucket" / "checkpoints").exists()
    for word in CREDENTIALS.values():
        assert word.encode() not in (tmp_path / "bucket" / "bitfront.db").read_bytes()
    moved = Settings(home=tmp_path / "moved", checkpoint_url=f"{bucket}-moved")
    store = Store.open(moved.database)
    restore(store, moved.checkpoint_place, tmp_path / "folder.zip")
    api = TestClient(create_app(moved, store), base_url=moved.url)
    for point in points_of(api):
        assert api.get(f"/v1/points/{point['id']}/checkpoint").status_code == 200
    store.close()


def test_what_is_altered_gone_or_out_of_reach_has_a_code_and_a_fix(
    tmp_path: Path, bucket: str, job_with_points: Any, api_store: Store, settings: Settings
) -> None:
    away = settings.model_copy(update={"checkpoint_url": bucket})
    api = TestClient(create_app(away, api_store), base_url=away.url)
    job_id = job_with_points()
    point = api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]
    at = f"/v1/points/{point['id']}/checkpoint"
    answer = api.get(at)
    assert (answer.status_code, answer.json()["code"]) == (404, "checkpoint_gone")
    assert f"bitfront rerun {point['id']}" in answer.json()["detail"]
    with api_store.unit() as unit:
        trial, name = unit.points.checkpoint(point["id"])
    away.checkpoint_place.child(trial).write(name, b"altered")
    for end in (at, at.replace("/checkpoint", "/export")):
        answer = api.get(end)
        assert (answer.status_code, answer.json()["code"]) == (409, "checkpoint_damaged"), answer.text
    # A file where the folder of the place should be: whatever is asked of it fails.
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    none = settings.model_copy(update={"checkpoint_url": str(blocked)})
    api = TestClient(create_app(none, api_store), base_url=none.url)
    assert api.get(at).status_code == 404
