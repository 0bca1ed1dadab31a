"""A client that knows nothing but the OpenAPI document makes every call of it, with the examples it has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from service.api.catalogue import registered
from service.api.examples import BODIES
from service.app import create_app
from service.jobs import JobRun
from service.settings import Settings
from service.store import Store

LAST = ("/cancel", "/v1/keys", "/revoke")
"""What changes what other calls are answered, in the order in which it may do so."""
MADE_UP_CHECKPOINT = {"/v1/points/{point_id}/checkpoint": 404, "/v1/points/{point_id}/export": 404}
"""No network was trained here, so there is none to download."""


class DocumentClient:
    """Calls operations as their document describes them, and follows its links."""

    def __init__(self, http: TestClient) -> None:
        self.http = http
        self.document = http.get("/v1/openapi.json").json()
        self.known: dict[str, str] = {}
        self.called: dict[tuple[str, str], int] = {}

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, found in self.document["paths"].items():
            for method, operation in found.items():
                yield method, path, operation

    def call_all(self) -> None:
        """Every operation whose ids are known by then, until none is left; what ends things comes last."""
        while ready := [one for one in self.operations() if self._ready(*one)]:
            self.call(*min(ready, key=lambda one: order(*one[:2])))

    def call(self, method: str, path: str, operation: dict[str, Any]) -> None:
        """One call, with the examples of its document; its answer has to be what the document says."""
        given = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        query = {one["name"]: one.get("example", self._value(one["name"], operation)) for one in given}
        query = {name: value for name, value in query.items() if value is not None}
        answer = self.http.request(
            method.upper(), self._address(path, operation), params=query, **self._body(operation)
        )
        self.called[method, path] = answer.status_code
        assert str(answer.status_code) in operation["responses"], (method, path, answer.text)
        described = operation["responses"][str(answer.status_code)]
        self._check(described, answer)
        for link in described.get("links", {}).values():
            for name, expression in link["parameters"].items():
                self._learn(link["operationId"], name, expression, answer.json())
        if path == "/v1/keys" and method == "post":
            self.http.headers["Authorization"] = f"Bearer {answer.json()['key']}"

    def _ready(self, method: str, path: str, operation: dict[str, Any]) -> bool:
        names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        return (method, path) not in self.called and all(self._value(one, operation) for one in names)

    def _value(self, name: str, operation: Mapping[str, Any]) -> str | None:
        return self.known.get(f"{operation['operationId']} {name}") or self.known.get(name)

    def _address(self, path: str, operation: dict[str, Any]) -> str:
        names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        return path.format(**{name: self._value(name, operation) for name in names})

    def _body(self, operation: dict[str, Any]) -> dict[str, Any]:
        ((kind, content),) = operation.get("requestBody", {"content": {"": {}}})["content"].items()
        if "example" in content:
            return {"json": content["example"], "headers": {"Content-Type": kind}}
        return {"content": data_set(), "headers": {"Content-Type": kind}} if kind else {}

    def _learn(self, operation_id: str, name: str, expression: str, body: Any) -> None:
        found = body
        for part in expression.removeprefix("$response.body#/").split("/"):
            found = found[int(part)] if isinstance(found, list) else found[part]
        self.known.setdefault(name if name.endswith("_id") else f"{operation_id} {name}", found)

    def _check(self, described: dict[str, Any], answer: Any) -> None:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 204 and kind.endswith("json"):
            schema = described["content"][kind]["schema"]
            whole = {**schema, "components": self.document["components"]}
            Draft202012Validator(whole).validate(answer.json())


def order(method: str, path: str) -> int:
    """When an operation is called: first what changes nothing that the others need."""
    ending = [number for number, end in enumerate(LAST, 1) if path.endswith(end) and method != "get"]
    return 2 if method == "delete" else max(ending, default=0)


def data_set() -> bytes:
    """The one body that is no JSON: forty images of two classes."""
    file = io.BytesIO()
    np.savez(file, x=np.zeros((40, 1, 4, 4), dtype=np.float32), y=np.arange(40) % 2)
    return file.getvalue()


@pytest.fixture
def http(store: Store, tmp_path: Path) -> TestClient:
    """The application as it is installed, with real plans."""
    home = tmp_path / "home"
    (home / "checkpoints").mkdir(parents=True)
    settings = Settings(home=home, database_url=None, public_url="http://testserver")
    return TestClient(create_app(settings, store, offered=registered()))


def test_every_call_can_be_made_from_the_document_alone(
    http: TestClient, store: Store, training: Any, tmp_path: Path
) -> None:
    client = DocumentClient(http)
    client.call("post", "/v1/jobs", client.document["paths"]["/v1/jobs"]["post"])
    finish(store, training, tmp_path)
    client.call_all()
    assert client.called.keys() == {(method, path) for method, path, _ in client.operations()}
    refused = {path: status for (_, path), status in client.called.items() if status >= 400}
    assert refused == MADE_UP_CHECKPOINT
    assert client.called["get", "/v1/jobs/{job_id}/events"] == 200
    assert BODIES.keys() <= client.called.keys()


def finish(store: Store, training: Any, folder: Path) -> None:
    """Run the job with made-up results, so that it has trials and points."""
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
    run = JobRun(store, claim, data_folder=folder, plan=training.plan)
    run.prepare()
    while not isinstance(request := run.next_trial(), str):
        run.started(request.trial_id)
        run.epoch(request.trial_id, training.report(1))
        run.succeeded(request.trial_id, training.good(request))
    run.finish()
