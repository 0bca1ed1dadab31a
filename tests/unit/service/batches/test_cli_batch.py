"""`bitfront batch`, `batches` and `cancel` against a server in a thread; the client's calls; the pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from service.client import ApiError, BitfrontClient

Run = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path, batch: dict[str, Any]) -> Path:
    """The batch in a YAML file."""
    path = tmp_path / "batch.yaml"
    path.write_text(yaml.safe_dump(batch, sort_keys=False))
    return path


def test_submits_and_says_where_it_can_be_seen(run: Run, url: str, file: Path) -> None:
    result = run("batch", str(file), "--name", "other")
    found = BitfrontClient(url).batches().items[0]
    assert result.exit_code == 0, result.output
    assert f"Submitted other as {found.id} (4 jobs): {url}/batches/{found.id}" in result.output


def test_prints_json(run: Run, url: str, file: Path) -> None:
    first = json.loads(run("batch", str(file), "--json", "--idempotency-key", "k").output)
    again = json.loads(run("batch", str(file), "--json", "--idempotency-key", "k").output)
    assert (first["id"], first["jobs"]) == (again["id"], 4)
    assert json.loads(run("batches", "--json").output)["items"][0]["id"] == first["id"]
    assert json.loads(run("batch", "latest", "--json").output)["id"] == first["id"]


def test_waits_and_shows_progress(run: Run, url: str, file: Path, end_jobs: Callable[..., int]) -> None:
    results: list[Any] = []
    waiting = threading.Thread(target=lambda: results.append(run("batch", str(file), "--wait")))
    waiting.start()
    client = BitfrontClient(url)
    while not client.batches().items:
        waiting.join(0.05)
    end_jobs()
    waiting.join(30)
    assert results[0].exit_code == 0, results[0].output
    assert "queued, 0 %, 0 of 4 jobs, 0 of 16 trials; 4 queued" in results[0].output
    assert "succeeded, 100 %, 4 of 4 jobs" in results[0].output


def test_a_batch_that_did_not_succeed_exits_1(run: Run, submitted: str, end_jobs: Any) -> None:
    end_jobs("failed")
    result = run("batch", submitted, "--wait", "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (1, "failed")


def test_shows_lists_and_cancels(run: Run, submitted: str) -> None:
    assert "4 queued" in run("batch", submitted[: len("batch-") + 6]).output
    assert submitted in run("batches").output
    assert f"{submitted} is cancelled." in run("cancel", submitted).output
    assert json.loads(run("cancel", submitted, "--json").output)["jobs_by_state"]["cancelled"] == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"grid": {"/seeds": [[-1]]}}, "/grid/~1seeds/0/0"), ({"grid": {}}, "nothing to vary")],
)
def test_bad_input_exits_2(run: Run, file: Path, batch: Any, change: Any, reason: str) -> None:
    file.write_text(yaml.safe_dump(batch | change))
    result = run("batch", str(file))
    assert result.exit_code == 2
    assert reason in result.output
    assert run("batch", str(file.parent / "none.yaml")).exit_code == 2


def test_without_batches_it_says_how_to_submit_one(run: Run) -> None:
    assert "bitfront batch FILE" in run("batches").output


def test_the_client_submits_waits_and_cancels(url: str, batch: dict[str, Any]) -> None:
    client = BitfrontClient(url)
    found = client.submit_batch(batch)
    assert client.batch(found.id) == found
    assert client.wait_batch(found.id, timeout=0).state == "queued"
    assert len(client.jobs(batch=found.id).items) == 4
    threading.Timer(0.3, lambda: client.cancel_batch(found.id)).start()
    assert client.wait_batch(found.id).state == "cancelled"
    with pytest.raises(ApiError) as caught:
        client.batch("batch-0123456789abcdef")
    assert caught.value.code == "not_found"


def test_the_pages_show_jobs_with_what_tells_them_apart(api: TestClient, submitted: str) -> None:
    assert f'href="/batches/{submitted}"' in api.get("/batches").text
    page = api.get(f"/batches/{submitted}").text
    job = api.get(f"/v1/jobs?batch={submitted}").json()["items"][0]
    assert page.count('<th scope="row"><a href="/jobs/job-') == 4
    assert "<code>/architecture/width</code>" in page
    assert f'<a href="/jobs/{job["id"]}">small.4</a>' in page
    assert '"ended": false' in page
    assert f'href="/batches/{submitted}"' in api.get(f"/jobs/{job['id']}").text
    api.post(f"/v1/job-batches/{submitted}/cancel")
    assert '"ended": true' in api.get(f"/batches/{submitted}").text


def test_pages_of_nothing(api: TestClient) -> None:
    assert "There are no batches yet" in api.get("/batches").text
    assert api.get("/batches/batch-0123456789abcdef").status_code == 404
    assert api.get("/batches?cursor=nonsense").status_code == 422


def test_text_of_users_stays_text(api: TestClient, batch: dict[str, Any]) -> None:
    hostile = "<script>alert(1)</script>"
    body = batch | {"grid": {"/architecture/note": [hostile, "b"]}, "name": "x"}
    batch_id = api.post("/v1/job-batches", json=body).json()["id"]
    assert hostile not in api.get(f"/batches/{batch_id}").text
