"""Webhooks and keys over REST, on the pages and from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import app as command_line
from service.settings import Settings
from service.store import Store

URL = "https://hooks.example.org/in"


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_webhook_is_made_shown_tested_and_deleted(api: TestClient, spec: dict[str, Any]) -> None:
    made = api.post("/v1/webhooks", json={"url": URL, "description": "mine", "events": ["job.queued"]})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    webhook = made.json()
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    at = made.headers["location"]
    assert api.get(at).json() == webhook
    assert api.get("/v1/webhooks").json() == [webhook]
    assert (webhook["events"], webhook["disabled_at"]) == (["job.queued"], None)
    api.post("/v1/jobs", json=spec)
    sent = api.post(f"{at}/test")
    assert (sent.status_code, sent.json()["event"]) == (202, "webhook.test")
    log = api.get(f"{at}/deliveries", params={"limit": 1}).json()
    assert log["items"] == [sent.json()]
    older = api.get(f"{at}/deliveries", params={"cursor": log["next_cursor"]}).json()["items"]
    assert [(one["event"], one["state"]) for one in older] == [("job.queued", "waiting")]
    assert api.get(f"{at}/deliveries?format=csv").text.count("\n") == 3
    assert api.post(f"{at}/enable").json() == webhook
    assert api.delete(at).status_code == 204
    assert refusal(api.get(at)) == (404, "not_found")
    assert refusal(api.delete(at)) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "missing"),
        ({"url": "ftp://a.org"}, "/url", "invalid"),
        ({"url": URL, "events": []}, "/events", "out_of_range"),
        ({"url": URL, "events": ["job.died"]}, "/events/0", "unknown_value"),
        ({"url": URL, "secret": "mine"}, "/secret", "unknown_field"),
        ({"url": URL, "description": "a\nb"}, "/description", "invalid"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "forbidden_address"),
        ({"url": "http://hooks.example.org/"}, "/url", "forbidden_address"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_by_its_field(
    api: TestClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    problem = api.post("/v1/webhooks", json=body)
    assert problem.status_code == 422
    error = problem.json()["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert error["fix"]
    assert api.get("/v1/webhooks").json() == []


def test_no_answer_log_or_table_holds_the_secret_of_a_webhook(
    api: TestClient, settings: Settings, api_store: Store
) -> None:
    webhook = api.post("/v1/webhooks", json={"url": URL}).json()
    secret = webhook["secret"].removeprefix("whsec_")
    pages = ("/v1/webhooks", f"/v1/webhooks/{webhook['id']}", "/admin", f"/admin/webhooks/{webhook['id']}")
    for path in pages:
        assert secret not in api.get(path).text, path
    api_store.close()
    stored = b"".join(file.read_bytes() for file in settings.home.glob("bitfront.db*"))
    assert webhook["id"].encode() in stored
    assert secret.encode() not in stored


def test_an_administrator_makes_and_revokes_keys_of_the_own_workspace(api: TestClient) -> None:
    made = api.post("/v1/keys", json={"name": "ci", "scope": "admin", "expires": "never"})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    key = made.json()
    text = key.pop("key")
    assert (key["workspace"], key["state"], key["expires_at"]) == ("default", "usable", None)
    api.headers["Authorization"] = f"Bearer {text}"  # from the first key on it is asked for
    assert [one["id"] for one in api.get("/v1/keys").json()] == [key["id"]]
    assert text.rsplit("_", 1)[1] not in api.get("/v1/keys").text + api.get("/admin").text
    other = api.post("/v1/keys", json={"scope": "submit"}).json()
    for _ in range(2):
        assert api.post(f"/v1/keys/{other['id']}/revoke").json()["state"] == "revoked"
    assert refusal(api.post(f"/v1/keys/{text}/revoke")) == (404, "not_found")
    assert text not in api.post(f"/v1/keys/{text}/revoke").json()["detail"]
    for body, pointer in (({"scope": "root"}, "/scope"), ({"expires": "1y"}, "/expires")):
        problem = api.post("/v1/keys", json=body).json()
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_only_administrators_come_to_keys_and_webhooks(
    api: TestClient, api_store: Store, spec: dict[str, Any]
) -> None:
    with api_store.unit() as unit:
        _, key = unit.keys.create(workspace="default", name="", scope="submit", lives=None)
    api.headers["Authorization"] = f"Bearer {key.text}"
    for path in ("/v1/keys", "/v1/webhooks", "/admin"):
        assert refusal(api.get(path)) == (403, "missing_scope")
    assert refusal(api.post("/v1/webhooks", json={"url": URL})) == (403, "missing_scope")
    assert 'href="/admin"' not in api.get("/jobs").text


@pytest.fixture
def page(api: TestClient, settings: Settings) -> TestClient:
    """A browser on the pages of the service."""
    api.headers["Origin"] = settings.url
    api.follow_redirects = False
    return api


def test_the_pages_make_test_and_delete_webhooks_and_keys(page: TestClient, settings: Settings) -> None:
    form = {"url": URL, "description": "<b>=1+1</b>", "events": ["job.failed"]}
    made = page.post("/admin/webhooks", data=form)
    assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", made.text)
    assert made.headers["Cache-Control"] == "no-store"
    overview = page.get("/admin").text
    assert "whsec_" not in overview
    assert "&lt;b&gt;=1+1&lt;/b&gt;" in overview
    at = re.search(r"/admin/webhooks/webhook-\w+", overview)[0]  # type: ignore[index]  # a failure says as much
    assert page.post(f"{at}/test").headers["location"] == at
    assert "webhook.test" in page.get(at).text
    assert page.get(f"{at}?cursor=nonsense").status_code == 422
    assert page.post(f"{at}/enable").status_code == 303
    assert page.post(f"{at}/delete").headers["location"] == "/admin"
    assert page.get(at).status_code == 404
    wrong = page.post("/admin/webhooks", data={"url": "https://10.0.0.1/", "events": "job.failed"})
    assert wrong.status_code == 422
    assert "BITFRONT_WEBHOOK_NETWORKS" in wrong.text
    assert 'value="https://10.0.0.1/"' in wrong.text
    key = re.search(
        r"bf_\w{12}_[\w-]{43}", page.post("/admin/keys", data={"scope": "admin", "expires": "1d"}).text
    )
    page.headers["Authorization"] = f"Bearer {key[0]}"  # type: ignore[index]  # a failure says as much
    found = re.search(r"/admin/keys/\w+/revoke", page.get("/admin").text)
    assert page.post(found[0]).status_code == 303  # type: ignore[index]  # a failure says as much
    assert page.get("/admin").status_code == 303  # that was its own


def test_forms_are_taken_from_our_own_pages_only(
    api: TestClient, job_with_points: Callable[..., str]
) -> None:
    point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]["id"]
    webhook = api.post("/v1/webhooks", json={"url": URL}).json()["id"]
    forms = ["/admin/keys", "/admin/webhooks", f"/points/{point}/rerun"]
    forms += [f"/admin/webhooks/{webhook}/{what}" for what in ("test", "enable", "delete")]
    for path in forms:
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = api.post(path, data={"url": URL}, headers=headers)
            assert refusal(answer) == (403, "foreign_origin"), path
    assert api.get("/v1/keys").json() == []
    assert len(api.get("/v1/webhooks").json()) == 1


def test_the_commands(url: str, settings: Settings) -> None:
    runner = CliRunner()

    def run(*arguments: str, code: int = 0) -> Any:
        result = runner.invoke(command_line, ["--url", url, "webhooks", *arguments])
        assert result.exit_code == code, result.output
        return result

    assert "No webhooks yet" in run("list").stdout
    made = run("create", URL, "--event", "job.failed", "--description", "[b]")
    assert re.fullmatch(r"whsec_\S{44}\n", made.stdout)
    webhook = json.loads(run("list", "--json").stdout)[0]["id"]
    assert webhook in made.stderr
    assert run("list").exit_code == 0
    assert json.loads(run("test", webhook, "--json").stdout)["event"] == "webhook.test"
    assert json.loads(run("deliveries", webhook, "--json").stdout)["items"][0]["state"] == "waiting"
    assert "waiting" in run("deliveries", webhook).stdout
    run("enable", webhook)
    run("delete", webhook)
    run("delete", webhook, code=4)
    assert "BITFRONT_WEBHOOK_NETWORKS" in run("create", "https://10.0.0.1", code=2).stderr
