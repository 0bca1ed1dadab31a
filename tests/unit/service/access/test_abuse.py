"""What a hostile caller may try: odd paths, floods, and names that mean something elsewhere."""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from service.settings import Settings

TRICKS = (
    *(
        "..",
        "%2e%2e",
        "%252e%252e",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%5c",
        "%00",
        "job-%00",
        "%0d%0aX:%201",
    ),
    *("%ff%fe", "'%20OR%201=1--", "{{7*7}}", "a" * 3_000, "~", "%E2%80%AE", "job-0123456789abcde%C4%B1"),
)
EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture
def client(app: FastAPI, settings: Settings) -> TestClient:
    """The one user of an open service: nothing is kept from them but what is not there."""
    return TestClient(app, base_url=settings.url, raise_server_exceptions=False, follow_redirects=False)


def refused(answer: Any) -> bool:
    """Whether an answer is a problem of the caller's making, or a page that says so."""
    return 400 <= answer.status_code < 500


def test_no_path_leads_anywhere_by_a_trick(app: FastAPI, client: TestClient) -> None:
    tried = 0
    for route in iter_route_contexts(app.routes):
        if "{" not in (route.path or "") or route.path == "/static/{path}":
            continue
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            for trick in TRICKS:
                path = re.sub(r"{\w+}", lambda _, trick=trick: trick, route.path)
                answer = client.request(method, path, headers={"Origin": str(client.base_url)}, json={})
                # `..` is resolved by clients, so it may come out at a listing
                assert refused(answer) or trick in {"..", "%2e%2e"}, (method, path, answer.status_code)
                assert "root:" not in answer.text
                assert answer.text != "49"
                tried += 1
    assert tried > 600
    for trick in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "..%5capp.py", "%252e%252e/app.py", "%00"):
        assert refused(client.get(f"/static/{trick}")), trick


@pytest.mark.parametrize("query", ["?batch=%00", "?label=a:%00", "?cursor=%00", "?state=%00"])
def test_a_nul_in_a_query_is_refused_before_a_database_sees_it(client: TestClient, query: str) -> None:
    for path in ("/v1/jobs", "/jobs", "/v1/fronts"):
        answer = client.get(path + query)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_address")


OTHERS = frozenset({"application/octet-stream"})
"""Bodies that are no JSON: uploads, which have tests of theirs."""


def test_bodies_that_are_too_large_or_too_deep_are_refused_everywhere(
    app: FastAPI, client: TestClient
) -> None:
    deep = {code: ("[" * code + "]" * code).encode() for code in (100, 100_000)}
    large = b'{"name": "' + b"a" * 1_100_000 + b'"}'
    paths = [
        (method.upper(), re.sub(r"{(\w+)_id}", lambda found: f"{found[1]}-{'0' * 16}", path))
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if OTHERS.isdisjoint(operation.get("requestBody", {"content": OTHERS})["content"])
    ]
    assert len(paths) >= 7
    for method, path in paths:
        send = {"headers": {"Content-Type": "application/json"}}
        too_large = client.request(method, path, content=large, **send)
        assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large"), path
        for content in deep.values():
            answer = client.request(method, path, content=content, **send)
            assert answer.status_code in {400, 404}, path


def test_headers_by_the_thousand_and_endless_lines_end_nothing(url: str) -> None:
    place = urlsplit(url)
    floods = (
        [(f"X-{number}", "a" * 100) for number in range(5_000)],
        [("X-Long", "a" * 200_000)],
        [("Cookie", "bitfront_session=" + "%00" * 1_000)],
        [("Authorization", "Bearer " + "bf_" * 10_000)],
        [("If-None-Match", '"a",' * 5_000)],
        [("Content-Length", "9" * 30)],
    )
    for flood in floods:
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)  # type: ignore[arg-type]  # the URL has a host
        try:
            connection.putrequest("GET", "/v1/jobs")
            for name, value in flood:
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.getresponse().status < 500
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            pass  # it hung up in the middle of the flood
        finally:
            connection.close()
        probe = http.client.HTTPConnection(place.hostname, place.port, timeout=20)  # type: ignore[arg-type]  # as above
        probe.request("GET", "/livez")
        assert probe.getresponse().status == 200
        probe.close()


def test_names_are_text_on_pages_and_in_csv(client: TestClient, spec: dict[str, Any]) -> None:
    labels = {"a": EVIL, "b": FORMULA}
    job = client.post("/v1/jobs", json=spec | {"labels": labels}).json()["id"]
    client.post("/v1/webhooks", json={"url": "https://a.org/?<script>", "description": EVIL})
    client.post("/v1/webhooks", json={"url": "https://a.org/", "description": FORMULA})
    for path in ("/jobs", f"/jobs/{job}", "/admin", f"/jobs?label=a:{EVIL}"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert EVIL not in page.text, path
        assert "default-src" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
    key = client.post("/v1/keys", json={"name": EVIL, "scope": "admin"}).json()["key"]
    client.headers["Authorization"] = f"Bearer {key}"
    assert EVIL not in client.get("/admin").text
    rows = list(csv.DictReader(io.StringIO(client.get("/v1/jobs?format=csv").text)))
    for row in rows:
        assert not [cell for cell in row.values() if cell and cell[0] in "=+-@\t\r"], row
    assert json.loads(rows[0]["labels"]) == labels


def test_problems_show_what_was_sent_as_json_and_cut_short(client: TestClient, spec: dict[str, Any]) -> None:
    answer = client.post("/v1/jobs", json=spec | {"name": EVIL * 1_000})
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.text) < 3_000
    assert len(client.get(f"/v1/jobs/{'a' * 3_000}").json()["detail"]) < 300


def test_a_form_of_thousands_of_fields_is_refused(client: TestClient) -> None:
    flood = "&".join(f"a{number}=1" for number in range(10_000))
    headers = {"Origin": str(client.base_url), "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/admin/keys", "/admin/webhooks"):
        assert client.post(path, content=flood, headers=headers).status_code == 422
    assert client.get("/v1/keys").json() == []


def test_what_expired_opens_nothing_by_any_way(
    client: TestClient, make_key: Callable[..., Any], settings: Settings
) -> None:
    old = make_key(lives=timedelta(seconds=-1))
    for path in ("/v1/jobs", "/jobs", "/admin", "/v1/openapi.json", "/metrics"):
        answer = client.get(path, headers={"Authorization": f"Bearer {old.text}"})
        assert answer.status_code in {401, 303}, path
    signed = client.post("/sign-in", data={"key": old.text}, headers={"Origin": settings.url})
    assert (signed.status_code, "set-cookie" in signed.headers) == (401, False)
