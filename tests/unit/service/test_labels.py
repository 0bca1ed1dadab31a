"""Labels and clones: over REST, on the command line, on pages; what is trained stays the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.errors import InvalidInputError
from search.job import JobSpec
from service.api.submission import JobSubmission
from service.client import BitfrontClient
from service.labels import label_of
from service.store import Store
from service.store.tables import Job

Run = Callable[..., Any]


@pytest.fixture
def job(api: TestClient, spec: dict[str, Any]) -> dict[str, Any]:
    """A job with two labels."""
    made: dict[str, Any] = api.post(
        "/v1/jobs", json=spec | {"labels": {"team": "vision", "run": "a:b"}}
    ).json()
    return made


def test_labels_stand_beside_the_spec_and_change_nothing_of_it(spec: dict[str, Any]) -> None:
    plain = JobSpec.model_validate(spec)
    labelled = JobSubmission.model_validate(spec | {"labels": {"a": "b"}}).job()
    assert type(labelled) is JobSpec
    assert labelled == plain
    assert labelled.digest() == plain.digest()


def test_a_job_shows_its_labels(api: TestClient, job: dict[str, Any]) -> None:
    assert job["labels"] == {"run": "a:b", "team": "vision"}
    assert "labels" not in job["spec"]
    assert api.get(f"/v1/jobs/{job['id']}").json()["labels"] == job["labels"]
    page = api.get(f"/jobs/{job['id']}").text
    assert 'href="/jobs?label=team%3Avision">team:vision</a>' in page
    assert "team:vision" in api.get("/jobs").text


def test_jobs_are_filtered_by_labels(api: TestClient, job: dict[str, Any], spec: dict[str, Any]) -> None:
    api.post("/v1/jobs", json=spec | {"labels": {"team": "audio"}})

    def found(query: str) -> list[str]:
        return [one["id"] for one in api.get(f"/v1/jobs?{query}").json()["items"]]

    assert found("label=team:vision") == [job["id"]]
    assert found("label=run:a:b") == [job["id"]]
    assert len(found("label=team")) == 2
    assert found("label=team:vision&label=run") == [job["id"]]
    assert found("label=team:audio&label=run") == []
    refused = api.get("/v1/jobs?label=:x")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "label")
    assert "team:audio" not in api.get("/jobs?label=team:vision").text
    assert "No job has this label." in api.get("/jobs?label=none").text
    assert api.get("/jobs?label=:x").status_code == 422


def test_a_patch_changes_labels(api: TestClient, job: dict[str, Any]) -> None:
    path = f"/v1/jobs/{job['id']}/labels"
    headers = {"Content-Type": "application/merge-patch+json"}
    changed = api.patch(path, content='{"team": "audio", "run": null, "x/y": ""}', headers=headers)
    assert (changed.status_code, changed.json()["labels"]) == (200, {"team": "audio", "x/y": ""})
    assert changed.json()["spec"] == job["spec"]
    assert api.patch(path, json={}).json()["labels"] == {"team": "audio", "x/y": ""}
    assert api.patch("/v1/jobs/job-0123456789abcdef/labels", json={}).status_code == 404


@pytest.mark.parametrize(
    ("labels", "pointer", "code"),
    [
        ({"": "a"}, "", "invalid"),
        ({"a b": "a"}, "", "invalid"),
        ({"a:b": "a"}, "", "invalid"),
        ({"k" * 64: "a"}, "", "invalid"),
        ({"a": "b" * 129}, "", "invalid"),
        ({"a": "b\n"}, "", "invalid"),
        ({f"k{n}": "x" for n in range(33)}, "", "invalid"),
        ({"a": 1}, "/a", "wrong_type"),
        (["a"], "", "wrong_type"),
    ],
)
def test_what_is_no_label_is_refused(
    api: TestClient, job: dict[str, Any], spec: dict[str, Any], *, labels: Any, pointer: str, code: str
) -> None:
    submitted = api.post("/v1/jobs", json=spec | {"labels": labels})
    error = submitted.json()["errors"][0]
    assert (submitted.status_code, error["pointer"], error["code"]) == (422, f"/labels{pointer}", code)
    patched = api.patch(f"/v1/jobs/{job['id']}/labels", json=labels)
    assert (patched.status_code, patched.json()["errors"][0]["pointer"]) == (422, pointer)
    assert len(api.get("/v1/jobs").json()["items"]) == 1


@pytest.mark.parametrize(("text", "label"), [("a", ("a", None)), ("a:", ("a", "")), ("a:b:c", ("a", "b:c"))])
def test_a_filter_is_a_key_and_perhaps_a_value(text: str, label: tuple[str, str | None]) -> None:
    assert label_of(text) == label


def test_no_key_is_no_filter() -> None:
    with pytest.raises(InvalidInputError):
        label_of(":b")


def test_a_clone_has_what_the_patch_changes(api: TestClient, job: dict[str, Any]) -> None:
    patch = {"name": "wide", "architecture": {"width": 16}, "seeds": [3], "labels": {"run": None, "new": "x"}}
    response = api.post(f"/v1/jobs/{job['id']}/clone", json=patch)
    made = response.json()
    assert (response.status_code, response.headers["location"]) == (202, f"/v1/jobs/{made['id']}")
    assert made["id"] != job["id"]
    assert made["spec"] == job["spec"] | {
        "name": "wide", "architecture": {"name": "conv-net", "width": 16}, "seeds": [3]
    }  # fmt: skip
    assert made["labels"] == {"team": "vision", "new": "x"}


def test_null_takes_a_field_back_to_its_default(api: TestClient, job: dict[str, Any]) -> None:
    longer = api.post(f"/v1/jobs/{job['id']}/clone", json={"training": {"epochs": 3}}).json()
    again = api.post(f"/v1/jobs/{longer['id']}/clone", json={"training": {"epochs": None}}).json()
    assert (longer["spec"]["training"]["epochs"], again["spec"]) == (3, job["spec"])


def test_a_clone_holds_the_devices_that_it_asks_for(
    api: TestClient, api_store: Store, job: dict[str, Any]
) -> None:
    made = api.post(f"/v1/jobs/{job['id']}/clone", json={"compute": {"cpus_per_trial": 3}}).json()["id"]
    with api_store.unit() as unit:
        assert unit.jobs._session.scalar(select(Job.devices).where(Job.id == made)) == 3


def test_a_clone_is_checked_and_idempotent(api: TestClient, job: dict[str, Any]) -> None:
    path, headers = f"/v1/jobs/{job['id']}/clone", {"Idempotency-Key": "k"}
    refused = api.post(path, json={"training": {"epochs": 0}, "budget": None})
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/training/epochs", "/budget"}
    first, again = (api.post(path, json={"seeds": [5]}, headers=headers) for _ in range(2))
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert api.post(path, json={"seeds": [6]}, headers=headers).status_code == 409
    assert api.post("/v1/jobs/job-0123456789abcdef/clone", json={}).status_code == 404
    assert api.post(path, json=[1]).status_code == 422
    assert len(api.get("/v1/jobs").json()["items"]) == 2


def test_commands_label_list_and_clone(run: Run, url: str, tmp_path: Any, spec: dict[str, Any]) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(spec | {"labels": {"team": "vision"}}))
    made = json.loads(run("submit", str(file), "--label", "run:7", "--json").output)
    assert made["labels"] == {"run": "7", "team": "vision"}
    run("submit", str(file), "--label", "team:audio")
    assert [one["id"] for one in listed(run("list", "--label", "team:vision", "--json"))] == [made["id"]]
    assert "team:vision" in run("jobs").output
    assert "No such jobs." in run("jobs", "--label", "team:none").output
    changed = json.loads(run("label", made["id"], "team:x y", "--remove", "run", "--json").output)
    assert changed["labels"] == {"team": "x y"}
    assert run("label", made["id"]).output.strip() == "team:x y"
    settings = ("--set", "architecture.width=16", "--set", "budget.max.0=1.5", "--set", "seeds=[4]")
    clone = json.loads(run("clone", made["id"], *settings, "--name", "c", "--label", "a:b", "--json").output)
    assert clone["spec"]["architecture"] == {"name": "conv-net", "width": 16}
    assert (clone["spec"]["budget"]["max"], clone["spec"]["seeds"]) == ([1.5, 4], [4])
    assert (clone["name"], clone["labels"]) == ("c", {"a": "b", "team": "x y"})
    assert BitfrontClient(url).job(clone["id"]).spec == clone["spec"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("clone", "latest", "--set", "seeds"), "sets nothing"),
        (("clone", "latest", "--set", "budget.max.9=1"), "there is no entry 9"),
        (("clone", "latest", "--set", "training.epochs=0"), "/training/epochs"),
        (("clone", "latest", "--set", "seeds=[1"), "neither YAML nor JSON"),
        (("label", "latest", "team"), "has no value"),
        (("label", "latest", "a:b", "--remove", "a"), "both set and removed"),
    ],
)
def test_bad_input_exits_2(run: Run, job: dict[str, Any], arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.output


def listed(result: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(result.output)["items"]
    return items
