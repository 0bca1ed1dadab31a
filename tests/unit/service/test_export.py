"""A point that was really trained, exported over REST and on the command line, and verified."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from models.export import IntegerNetwork, contents_of, read_export, write_export
from search.job import JobSpec
from service.cli import app as command_line
from service.client import BitfrontClient
from service.settings import Settings
from service.store import Store
from service.store.studies import PlannedTrial
from workers.exporting import TrainedPoint, point_splits
from workers.report import TrialOutcome, TrialRequest
from workers.trial import run_trial

Run = Callable[..., Any]
SPEC = {
    "name": "small",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "digits", "train_samples": 600},
    "budget": {"max": [4]},
    "methods": ["gradient"],
    "seeds": [0],
    "training": {"epochs": 2, "batch_size": 64},
    "compute": {"trials_per_study": 1},
}
PROPOSAL = {
    "kind": "learn_bits",
    "budget": {"metric": "bit_budget", "maximum": 4.0, "scope": "searched"},
    "note": {},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialOutcome, Path]:
    """The outcome of a real trial, and its folder."""
    folder = tmp_path_factory.mktemp("trial")
    request = TrialRequest(
        trial_id="a", spec=JobSpec.model_validate(SPEC).to_json(), proposal=PROPOSAL, seed=0
    )
    outcome = run_trial(request, checkpoints=folder, data_folder=folder, threads=1, report=lambda _: None)
    return outcome, folder / "a"


@pytest.fixture
def point(api: TestClient, api_store: Store, settings: Settings, trained: tuple[TrialOutcome, Path]) -> str:
    """The id of the point, in the store with its checkpoint."""
    outcome, folder = trained
    job_id = api.post("/v1/jobs", json=SPEC).json()["id"]
    with api_store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
        assert claim is not None
        unit.studies.prepare(claim)
        study = unit.jobs.get(job_id).studies[0].id
    with api_store.unit() as unit:
        planned = PlannedTrial(round=0, number=0, proposal=PROPOSAL, fingerprint="f")
        unit.studies.plan(claim, study, [planned])
        trial = unit.studies.trials(study)[0].id
        unit.results.start(claim, trial)
        unit.results.succeed(claim, trial, outcome)
    (settings.checkpoints / trial).mkdir()
    name = outcome.points[0].checkpoint
    (settings.checkpoints / trial / name).write_bytes((folder / name).read_bytes())
    return str(api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]["id"])


def test_sends_an_archive_with_its_hash(api: TestClient, point: str) -> None:
    response = api.get(f"/v1/points/{point}/export")
    assert response.status_code == 200
    assert response.headers["x-export-sha256"] == hashlib.sha256(response.content).hexdigest()
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["facts"]["point"] == point
    assert manifest["facts"]["accuracy"]["test"] == api.get(f"/v1/points/{point}").json()["test_accuracy"]
    assert api.get(f"/v1/points/{point}/export").content == response.content


def test_the_command_writes_what_verify_proves(
    run: Run, point: str, settings: Settings, trained: tuple[TrialOutcome, Path], tmp_path: Path
) -> None:
    result = run("export", point, "--to", str(tmp_path / "integers"))
    assert result.exit_code == 0, result.output
    result = run("verify", str(tmp_path / "integers"), "--home", str(settings.home))
    assert result.exit_code == 0, result.output
    assert "Predictions equal to the trained network's in float32, as trained: 359 of 359" in result.output
    assert "Equal." in result.output
    accuracy = trained[0].points[0].test_accuracy
    assert f"= {accuracy:.6f}" in result.output
    costs = trained[0].points[0].costs["searched"]
    line = next(line for line in result.output.splitlines() if "bit_budget" in line and "searched" in line)
    assert [cell.strip() for cell in line.split("│")][3:5] == [f"{costs['bit_budget']:.6g}"] * 2


def test_the_integers_are_as_accurate_as_the_network(
    run: Run, point: str, trained: tuple[TrialOutcome, Path], tmp_path: Path
) -> None:
    run("export", point, "--to", str(tmp_path / "integers"))
    export = read_export(tmp_path / "integers")
    test = _splits(export, tmp_path).test
    logits = IntegerNetwork(export).logits(test.take(torch.arange(len(test))))
    assert (logits.argmax(1) == test.y_N).double().mean() == trained[0].points[0].test_accuracy


def _splits(export: Any, folder: Path) -> Any:
    facts = export.facts
    return point_splits(
        TrainedPoint(spec=facts["spec"], proposal=facts["proposal"], checkpoint=folder, checkpoint_sha256=""),
        folder,
    )


def test_verify_needs_no_service_where_the_checkpoint_is_given(
    run: Run, point: str, trained: tuple[TrialOutcome, Path], settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "integers"
    run("export", point, "--to", str(folder))
    checkpoint = trained[1] / trained[0].points[0].checkpoint
    arguments = ["verify", str(folder), "--checkpoint", str(checkpoint), "--home", str(settings.home)]
    result = CliRunner().invoke(command_line, ["--url", "http://127.0.0.1:1", *arguments])
    assert result.exit_code == 0, result.output
    other = tmp_path / "other.safetensors"
    other.write_bytes(checkpoint.read_bytes()[:-1] + b"\0")
    arguments[3] = str(other)
    assert CliRunner().invoke(command_line, arguments).exit_code == 1


def test_verify_refuses_what_was_altered(run: Run, point: str, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "integers"
    run("export", point, "--to", str(folder))
    tensors = bytearray((folder / "tensors.safetensors").read_bytes())
    tensors[-1] ^= 1
    (folder / "tensors.safetensors").write_bytes(tensors)
    result = run("verify", str(folder), "--home", str(settings.home))
    assert result.exit_code == 2
    assert "SHA256SUMS" in result.output


def test_verify_finds_a_network_that_is_another(
    run: Run, point: str, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "integers"
    run("export", point, "--to", str(folder))
    export = read_export(folder)
    name = export.layers[1].name
    numbers = export.integers[name]
    assert numbers.levels is not None
    other = replace(numbers, levels=np.ascontiguousarray(-numbers.levels))
    write_export(contents_of(replace(export, integers={**export.integers, name: other})), folder)
    result = run("verify", str(folder), "--home", str(settings.home))
    assert result.exit_code == 1, result.output
    assert "Not equal." in result.output


def test_says_when_a_checkpoint_is_gone_or_damaged(api: TestClient, point: str, settings: Settings) -> None:
    (file,) = settings.checkpoints.glob("*/*")
    file.write_bytes(file.read_bytes()[:-1])
    response = api.get(f"/v1/points/{point}/export")
    assert (response.status_code, response.json()["code"]) == (409, "checkpoint_damaged")
    file.unlink()
    response = api.get(f"/v1/points/{point}/export")
    assert (response.status_code, response.json()["code"]) == (404, "checkpoint_gone")


def test_a_point_that_is_not_there_is_a_problem(run: Run, api: TestClient, tmp_path: Path) -> None:
    assert api.get("/v1/points/point-0123456789abcdef/export").status_code == 404
    assert run("export", "point-0123456789abcdef", "--to", str(tmp_path / "a")).exit_code == 4
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("form", ["nir", "onnx"])
def test_open_formats_come_with_what_they_cannot_say(
    run: Run, api: TestClient, point: str, tmp_path: Path, form: str
) -> None:
    path = f"/v1/points/{point}/export?format={form}"
    response = api.get(path)
    assert f"{point}-{form}.zip" in response.headers["content-disposition"]
    assert api.get(path).content == response.content
    result = run("export", point, "--to", str(tmp_path / form), "--format", form)
    assert result.exit_code == 0, result.output
    assert "weights of" in result.output
    manifest = json.loads((tmp_path / form / "manifest.json").read_text())
    assert (manifest["format"], manifest["facts"]["point"]) == (f"bitfront-{form}", point)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        written = (tmp_path / form / f"network.{form}").read_bytes()
        assert archive.read(f"network.{form}") == written
        assert hashlib.sha256(written).hexdigest() in archive.read("SHA256SUMS").decode()
    assert (
        run("export", point, "--to", str(tmp_path / form)).exit_code == 2
    )  # the folder holds another export


def test_an_unknown_format_is_refused(run: Run, api: TestClient, point: str, tmp_path: Path) -> None:
    assert api.get(f"/v1/points/{point}/export?format=tflite").status_code == 422
    assert run("export", point, "--to", str(tmp_path / "a"), "--format", "tflite").exit_code == 2


def test_the_page_of_a_point_offers_every_format(api: TestClient, point: str) -> None:
    page = api.get(f"/points/{point}").text
    for query in ("", "?format=onnx", "?format=nir"):
        assert f'href="/v1/points/{point}/export{query}"' in page


def test_the_client_gives_the_archive(url: str, point: str) -> None:
    assert BitfrontClient(url).export(point)[:2] == b"PK"
