"""A key's secret is with its holder alone: not in a log, an answer, the database, a repr or a child."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from models.errors import InvalidInputError
from service import logs
from service.cli import app as command_line
from service.client import ApiError, BitfrontClient
from service.credentials import FILE_VARIABLE, KEY_VARIABLE, key_from_environment
from service.hooks.secrets import new_secret
from service.keys import ApiKey, digest, masked, new_key, parse_key
from service.settings import Settings
from service.store import Store
from service.supervisor import dispatcher_of

MakeKey = Callable[..., ApiKey]
CallAs = Callable[[str | None], TestClient]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service logs, as it does away from a terminal."""
    import logging

    handlers, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logging.root.handlers, logging.root.level = handlers, level


def test_a_key_has_256_random_bits_and_a_form_of_its_own() -> None:
    key = new_key()
    assert parse_key(key.text) == key
    assert len({new_key().secret for _ in range(100)}) == 100
    assert len(key.secret) * 6 >= 256
    assert key.secret not in repr(key)
    assert digest(key.secret) != digest(new_key().secret)


def test_logs_name_a_key_by_its_id_only(
    log: io.StringIO, call_as: CallAs, make_key: MakeKey, spec: dict[str, Any], monkeypatch: Any
) -> None:
    key = make_key()
    client = call_as(key.text)
    client.post("/v1/jobs", json=spec)
    client.get(f"/v1/jobs/{key.text}")  # pasted into a path
    client.get("/v1/jobs", params={"cursor": key.text})
    client.post("/sign-in", data={"key": key.text}, headers={"Origin": "http://127.0.0.1:8765"})
    client.get("/v1/jobs", headers={"Authorization": f"Bearer {key.text}x"})

    def broken(*_: object) -> None:
        raise RuntimeError(key.text)

    monkeypatch.setattr(Store, "within", broken)
    assert client.get("/v1/jobs").status_code == 500
    structlog.get_logger("test").info("careless", key=key.text)
    try:
        broken()
    except RuntimeError:
        structlog.get_logger("test").exception("careless")
    text = log.getvalue()
    assert key.secret not in text
    assert f"bf_{key.id}_***" in text
    requests = [line for line in map(json.loads, text.splitlines()) if line["event"] == "request"]
    assert {line["key"] for line in requests} >= {key.id, None}


def test_no_answer_shows_a_key(call_as: CallAs, make_key: MakeKey, spec: dict[str, Any]) -> None:
    key = make_key("red", "admin")
    client = call_as(key.text)
    job_id = client.post("/v1/jobs", json=spec).json()["id"]
    seen = [
        client.get(path) for path in ("/v1/workspace", "/metrics", "/jobs", f"/v1/jobs/{job_id}", "/readyz")
    ]
    seen += [call_as(key.text + "x").get("/v1/jobs"), call_as(key.text).get("/nothing")]
    for answer in seen:
        assert key.secret not in answer.text + str(answer.headers)


def test_the_database_holds_no_secret(
    settings: Settings, call_as: CallAs, make_key: MakeKey, spec: dict[str, Any]
) -> None:
    key = make_key()
    client = call_as(key.text)
    client.post("/v1/jobs", json=spec)
    answer = client.post("/sign-in", data={"key": key.text}, headers={"Origin": "http://127.0.0.1:8765"})
    token = answer.cookies["bitfront_session"]
    stored = b"".join(file.read_bytes() for file in settings.home.glob("bitfront.db*"))
    assert digest(key.secret).encode() in stored
    assert digest(token).encode() in stored
    assert key.secret.encode() not in stored
    assert token.encode() not in stored


def test_the_client_sends_its_key_and_shows_it_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    key, sent = new_key(), []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization"))
        return httpx.Response(401, json={})

    monkeypatch.setenv(KEY_VARIABLE, new_key().text)  # the one that is given goes first
    client = BitfrontClient("http://test", key=key.text, transport=httpx.MockTransport(answer))
    with pytest.raises(ApiError) as caught:
        client.jobs()
    assert sent == [f"Bearer {key.text}"]
    shown = [
        repr(client),
        repr(vars(client)),
        repr(vars(client._http)),
        str(caught.value),
        repr(caught.value),
    ]
    assert not [text for text in shown if key.secret in text]


@pytest.mark.parametrize("key", ["bf_\nX-Other: 1", "bf_é"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        BitfrontClient("http://test", key=key)
    assert key not in str(caught.value)


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    assert key_from_environment({}) is None
    assert key_from_environment({FILE_VARIABLE: str(file)}) == "from-file"
    assert key_from_environment({FILE_VARIABLE: str(file), KEY_VARIABLE: " given "}) == "given"
    with pytest.raises(InvalidInputError, match="cannot be read"):
        key_from_environment({FILE_VARIABLE: str(tmp_path / "none")})


def test_the_commands_use_the_key_and_no_option_takes_one(
    url: str, make_key: MakeKey, tmp_path: Path
) -> None:
    key = make_key()
    file = tmp_path / "key"
    file.write_text(key.text)
    runner = CliRunner()
    for given in ({KEY_VARIABLE: key.text}, {FILE_VARIABLE: str(file)}):
        result = runner.invoke(command_line, ["--url", url, "jobs"], env=given)
        assert (result.exit_code, "No jobs yet" in result.output) == (0, True)
    result = runner.invoke(command_line, ["--url", url, "jobs"], env={KEY_VARIABLE: "", FILE_VARIABLE: ""})
    assert (result.exit_code, "BITFRONT_API_KEY" in result.output) == (2, True)
    assert "--key" not in runner.invoke(command_line, ["--help"]).output


def test_children_do_not_inherit_the_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, new_key().text)
    assert KEY_VARIABLE in os.environ
    assert KEY_VARIABLE not in dispatcher_of(settings)._environment


def test_the_password_of_the_database_is_not_in_the_repr_of_the_settings(tmp_path: Path) -> None:
    assert "hunter2" not in repr(Settings(home=tmp_path, database_url="postgresql://me:hunter2@host/db"))


def test_masking_leaves_the_rest_alone(api_store: Store) -> None:
    key = new_key()
    assert masked(f"a {key.text}, b") == f"a bf_{key.id}_***, b"
    assert masked(f"a {new_secret()}, b") == "a whsec_***, b"
    assert masked("job-0123456789abcdef") == "job-0123456789abcdef"
