"""Uploads: what is kept, what is refused and why, who sees it, and that a job trains on it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from safetensors.numpy import save
from typer.testing import CliRunner

from service.app import create_app
from service.cli import app as command_line
from service.client import BitfrontClient
from service.settings import Settings
from service.store import Store
from service.uploads import checking
from service.workspaces import Quotas

BYTES = {"Content-Type": "application/octet-stream"}
GENERATOR = np.random.default_rng(0)


def npz(**changes: Any) -> bytes:
    """Forty small pictures of two classes."""
    arrays = {
        "x": GENERATOR.integers(0, 256, (40, 8, 8), dtype=np.uint8),
        "y": np.arange(40, dtype=np.int64) % 2,
    }
    file = io.BytesIO()
    np.savez(file, **{**arrays, **changes})
    return file.getvalue()


def weights() -> bytes:
    return save({"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.float32)})


def bomb() -> bytes:
    """Little that unpacks to much; its header of y lies about nothing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        for _ in range(64):
            member.write(b"\0" * 2**20)
    return file.getvalue()


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=np.array([{"a": 1}] * 40, dtype=object), y=np.zeros(40, np.int64))
    return file.getvalue()


def flipped(content: bytes) -> bytes:
    """One bit of the pictures is another."""
    at = len(content) // 3
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.fixture
def real(settings: Settings, api_store: Store) -> FastAPI:
    """The application with the real catalogue."""
    return create_app(settings, api_store)


@pytest.fixture
def api(real: FastAPI, settings: Settings) -> TestClient:
    return TestClient(real, base_url=settings.url, raise_server_exceptions=False)


@pytest.fixture
def app(real: FastAPI) -> FastAPI:
    return real


def send(api: TestClient, content: Any, kind: str = "dataset") -> Any:
    asked = {"kind": kind, "name": "mine"}
    return api.post("/v1/uploads", params=asked, content=content, headers=BYTES)


def left(settings: Settings) -> list[str]:
    """What lies in the data folder."""
    return sorted(str(path.relative_to(settings.data)) for path in settings.data.rglob("*") if path.is_file())


class TestKept:
    def test_a_data_set_may_be_named_by_a_job(
        self, api: TestClient, settings: Settings, spec: dict[str, Any]
    ) -> None:
        answer = send(api, npz())
        made = answer.json()
        assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/uploads/{made['id']}")
        assert made["facts"] == {"sample_shape": [1, 8, 8], "classes": 2, "train_samples": 27}
        assert made["id"] == f"upload-{made['sha256'][:16]}"
        assert left(settings) == [f"{made['id']}.npz"]
        plan = api.post("/v1/jobs?validate_only=true", json=spec | {"dataset": {"name": made["id"]}})
        assert plan.status_code == 200, plan.text
        assert made["id"] in [one["name"] for one in api.get("/v1/datasets").json()]

    def test_weights_lie_where_warm_starts_do(self, api: TestClient, settings: Settings) -> None:
        made = send(api, weights(), "weights").json()
        assert made["facts"] == {"tensors": 2, "values": 10}
        assert left(settings) == [f"warm-starts/{made['id']}.safetensors"]

    def test_the_same_content_is_one_upload(self, api: TestClient, settings: Settings) -> None:
        content = npz()
        first, again = send(api, content), send(api, content)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert len(api.get("/v1/uploads").json()["items"]) == 1
        assert api.get("/v1/uploads?format=csv").text.count("upload-") == 1

    def test_it_is_gone_once_it_is_taken_away(
        self, api: TestClient, settings: Settings, spec: dict[str, Any]
    ) -> None:
        upload = send(api, npz()).json()["id"]
        job = api.post("/v1/jobs", json=spec | {"dataset": {"name": upload}}).json()["id"]
        refused = api.delete(f"/v1/uploads/{upload}")
        assert (refused.status_code, refused.json()["code"]) == (409, "upload_in_use")
        api.post(f"/v1/jobs/{job}/cancel")
        assert api.delete(f"/v1/uploads/{upload}").status_code == 204
        assert left(settings) == []
        assert api.get(f"/v1/uploads/{upload}").status_code == 404


REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nothing": (lambda: b"", "dataset", "is empty"),
    "noise": (lambda: b"PK" + bytes(200), "dataset", "cannot be read as .npz"),
    "cut off": (lambda: npz()[:-200], "dataset", "cannot be read as .npz"),
    "altered": (lambda: flipped(npz()), "dataset", "damaged|cannot be read"),
    "pickled objects": (pickled, "dataset", "x has the shape (40,)"),
    "a pickle": (lambda: pickle.dumps({"x": 1}), "dataset", "cannot be read as .npz"),
    "no labels": (lambda: npz(y=np.zeros(3, np.int64)), "dataset", "y is int64"),
    "weights as data": (weights, "dataset", "cannot be read as .npz"),
    "data as weights": (npz, "weights", "cannot be read as safetensors"),
    "a lying header": (
        lambda: (2**50).to_bytes(8, "little") + b"{}",
        "weights",
        "cannot be read as safetensors",
    ),
    "whole numbers": (
        lambda: save({"a": np.ones(3, np.int8)}),
        "weights",
        "holds tensors of I8; weights are floats",
    ),
}


class TestRefused:
    @pytest.mark.parametrize("what", REFUSED)
    def test_what_no_job_could_use(self, api: TestClient, settings: Settings, what: str) -> None:
        make, kind, words = REFUSED[what]
        answer = send(api, make(), kind)
        assert (answer.status_code, answer.json()["code"]) == (422, "upload_unusable"), answer.text
        assert any(word in answer.json()["detail"] for word in words.split("|")), answer.json()["detail"]
        assert ".uploading" not in answer.text
        assert left(settings) == []
        assert api.get("/v1/uploads").json()["items"] == []

    def test_what_unpacks_to_too_much(
        self, api: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checking, "MOST_BYTES", 2**20)
        answer = send(api, bomb())
        assert "would unpack to 67,108,864 bytes" in answer.json()["detail"]
        assert left(settings) == []

    @pytest.mark.parametrize("declared", [True, False])
    def test_what_is_too_large(self, settings: Settings, api_store: Store, declared: bool) -> None:
        small = settings.model_copy(update={"max_upload_bytes": 1000})
        api = TestClient(create_app(small, api_store), base_url=settings.url)
        content = npz()

        def parts() -> Iterator[bytes]:
            yield content

        answer = send(api, content) if declared else send(api, parts())
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert not settings.data.exists() or left(settings) == []

    def test_what_is_declared_as_something_else(self, api: TestClient) -> None:
        answer = api.post("/v1/uploads?kind=dataset", content=npz(), headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert api.post("/v1/uploads?kind=model", content=npz(), headers=BYTES).status_code == 422

    def test_what_goes_beyond_the_quota(self, api: TestClient, api_store: Store, settings: Settings) -> None:
        with api_store.unit() as unit:
            unit.workspaces.set_quotas("default", Quotas(stored_bytes=1000))
        answer = send(api, npz())
        assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
        assert left(settings) == []

    def test_a_name_that_was_not_uploaded(self, api: TestClient, spec: dict[str, Any]) -> None:
        answer = api.post("/v1/jobs", json=spec | {"dataset": {"name": "upload-0000000000000000"}})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_name")
        assert answer.json()["errors"][0]["pointer"] == "/dataset/name"


def test_another_workspace_sees_none_of_it(
    api: TestClient, api_store: Store, settings: Settings, spec: dict[str, Any]
) -> None:
    content = npz()
    upload = send(api, content).json()["id"]
    with api_store.unit() as unit:
        unit.workspaces.create("other")
        _, key = unit.keys.create(workspace="other", scope="submit", name="", lives=None)
    headers = {"Authorization": f"Bearer {key.text}"}
    assert api.get(f"/v1/uploads/{upload}", headers=headers).status_code == 404
    assert upload not in api.get("/v1/datasets", headers=headers).text
    job = spec | {"dataset": {"name": upload}}
    assert api.post("/v1/jobs", json=job, headers=headers).json()["code"] == "unknown_name"
    own = api.post("/v1/uploads?kind=dataset", content=content, headers={**BYTES, **headers})
    assert own.status_code == 201
    assert api.delete(f"/v1/uploads/{upload}", headers=headers).status_code == 204
    assert left(settings) == [f"{upload}.npz"]  # the other workspace still has it


def test_the_command_and_the_client_bring_it(url: str, tmp_path: Path) -> None:
    file = tmp_path / "pictures.npz"
    file.write_bytes(npz())

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command_line, ["--url", url, *arguments], env={"COLUMNS": "200"})

    made = run("upload", str(file))
    assert made.exit_code == 0, made.output
    with BitfrontClient(url) as client:
        (upload,) = client.uploads().items
    assert f"dataset: {{name: {upload.id}}}" in made.output
    assert upload.name == "pictures.npz"
    assert upload.id in run("uploads").output
    assert run("forget", upload.id).exit_code == 0
    assert run("forget", upload.id).exit_code == 4
    other = tmp_path / "pictures.txt"
    other.write_text("x")
    assert run("upload", str(other)).exit_code == 2
