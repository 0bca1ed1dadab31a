"""Signing in with a browser: the cookie, the forms against other sites, and where it leads."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.keys import ApiKey
from service.settings import Settings
from service.store import Store
from service.web.sign_in import own_place

MakeKey = Callable[..., ApiKey]
CallAs = Callable[[str | None], TestClient]


@pytest.fixture
def browser(call_as: CallAs, make_key: MakeKey, settings: Settings) -> TestClient:
    """A browser: it keeps cookies and says which page sends a form; there is a key."""
    make_key("blue")
    one = call_as(None)
    one.headers["Origin"] = settings.url
    return one


def sign_in(browser: TestClient, key: str, **fields: str) -> Any:
    return browser.post("/sign-in", data={"key": key, **fields})


def test_a_page_leads_to_the_form_and_back(browser: TestClient, make_key: MakeKey) -> None:
    asked = browser.get("/jobs?cursor=a%2Fb")
    form = browser.get(asked.headers["location"])
    assert (asked.status_code, form.status_code) == (303, 200)
    wanted = html.unescape(re.search(r'name="next" value="([^"]+)"', form.text)[1])  # type: ignore[index]  # a failure says as much
    answer = sign_in(browser, make_key().text, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?cursor=a%2Fb")


def test_the_cookie_is_out_of_reach_of_scripts_and_sites_and_holds_no_key(
    browser: TestClient, make_key: MakeKey
) -> None:
    key = make_key()
    cookie = sign_in(browser, key.text).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert key.secret not in cookie
    assert key.id not in cookie
    assert "Secure" not in cookie  # over http, browsers would drop it


def test_over_https_the_cookie_goes_nowhere_else(browser: TestClient, make_key: MakeKey) -> None:
    browser.base_url = "https://127.0.0.1:8765"  # type: ignore[assignment]  # httpx takes text
    browser.headers["Origin"] = "https://127.0.0.1:8765"
    assert "Secure" in sign_in(browser, make_key().text).headers["set-cookie"]


def test_a_signed_in_browser_sees_its_workspace_until_it_signs_out(
    browser: TestClient, make_key: MakeKey, call_as: CallAs, spec: dict[str, Any]
) -> None:
    key = make_key("red")
    job_id = call_as(key.text).post("/v1/jobs", json=spec).json()["id"]
    sign_in(browser, key.text)
    page = browser.get("/jobs").text
    assert job_id in page
    assert ">red<" in page
    assert browser.get(f"/v1/jobs/{job_id}").status_code == 200
    token = browser.cookies["bitfront_session"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert "bitfront_session" not in browser.cookies
    browser.cookies.set("bitfront_session", token)  # a copy of the cookie is worth nothing either
    assert browser.get("/jobs").status_code == 303


def test_a_revoked_key_signs_its_browsers_out(
    browser: TestClient, make_key: MakeKey, api_store: Store
) -> None:
    key = make_key()
    sign_in(browser, key.text)
    assert browser.get("/jobs").status_code == 200
    with api_store.unit() as unit:
        unit.keys.revoke(key.id)
    assert browser.get("/jobs").status_code == 303
    assert browser.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/v1/jobs"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", None])
def test_no_other_site_can_send_a_form(
    browser: TestClient, make_key: MakeKey, spec: dict[str, Any], path: str, origin: str | None
) -> None:
    key = make_key()
    sign_in(browser, key.text)
    del browser.headers["Origin"]
    headers = {} if origin is None else {"Origin": origin}
    body = {"json": spec} if path == "/v1/jobs" else {"data": {"key": key.text}}
    answer = browser.post(path, headers=headers, **body)  # type: ignore[arg-type]  # of the two kinds of bodies
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert "set-cookie" not in answer.headers
    assert browser.get("/v1/jobs").json()["items"] == []


def test_our_own_pages_can_change_things(
    browser: TestClient, make_key: MakeKey, spec: dict[str, Any]
) -> None:
    sign_in(browser, make_key().text)
    assert browser.post("/v1/jobs", json=spec).status_code == 202


def test_a_reader_may_sign_out(browser: TestClient, make_key: MakeKey) -> None:
    sign_in(browser, make_key("red", "read").text)
    assert browser.post("/sign-out").status_code == 303


@pytest.mark.parametrize("key", ["", "bf_", "<script>alert(1)</script>", "x" * 10_000])
def test_a_wrong_key_shows_the_form_again_and_not_the_key(browser: TestClient, key: str) -> None:
    answer = sign_in(browser, key)
    assert answer.status_code == 401
    assert "not a key of this service" in answer.text
    assert "<script>alert" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "/\\evil.example", "https://evil.example", "", "jobs", "/a b", "/a\r\nb", "\n/a"],
)
def test_signing_in_leads_nowhere_else(browser: TestClient, make_key: MakeKey, place: str) -> None:
    assert own_place(place) == "/jobs"
    assert sign_in(browser, make_key().text, next=place).headers["location"] == "/jobs"
