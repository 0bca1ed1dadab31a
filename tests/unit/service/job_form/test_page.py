"""The page of the form over HTTP: what it shows, refuses and submits, and for whom."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.job_form.form import form_of
from service.job_form.page import field_at, html_id
from service.keys import Scope
from service.settings import Settings
from service.store import Store
from service.store.tables import Trial
from service.workspaces import Quotas

BrowserOf = Callable[[Scope], TestClient]
JOB: dict[str, Any] = {
    "name": "by-hand",
    "architecture": {"name": "conv-net"},
    "dataset": {"name": "digits"},
    "budget": {"max": [2, 4]},
    "methods": ["random"],
    "seeds": [0],
}


@pytest.fixture
def browser(api: TestClient, settings: Settings) -> TestClient:
    """A browser at an open service: it says which page sends a form."""
    api.headers["Origin"] = settings.url
    api.follow_redirects = False
    return api


@pytest.fixture
def browser_of(app: FastAPI, api_store: Store, settings: Settings) -> BrowserOf:
    """A browser that signed in with a key of some scope."""

    def make(scope: Scope) -> TestClient:
        with api_store.unit() as unit:
            key = unit.keys.create(workspace="default", name=scope, scope=scope, lives=timedelta(days=1))[1]
        one = TestClient(app, base_url=settings.url, headers={"Origin": settings.url}, follow_redirects=False)
        one.post("/sign-in", data={"key": key.text})
        return one

    return make


def sent(job: dict[str, Any], **own: str) -> dict[str, Any]:
    return {**form_of(job), **own}


def errors(page: str, field: str) -> str:
    found = re.search(rf'id="{html_id(field)}-error">(.*?)</div>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def plain(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_errors_stand_beside_their_fields_and_nothing_is_stored(browser: TestClient) -> None:
    job = {**JOB, "budget": {"max": [0.5]}, "hardware": {"rows": 0}}
    page = browser.post("/jobs/new", data=sent(job, action="check"))
    assert page.status_code == 200
    assert "0 is less than 1" in errors(page.text, "/other")
    page = browser.post("/jobs/new", data=sent({**job, "hardware": {}}, action="submit"))
    assert page.status_code == 422
    assert "Cannot be reached. Raise it." in errors(page.text, "/budget/max")
    assert browser.get("/v1/jobs").json()["items"] == []


def test_a_check_shows_the_plan_of_rest_and_the_time_by_earlier_trials(
    browser: TestClient, job_with_points: Callable[..., str], api_store: Store
) -> None:
    job_with_points()
    with api_store.unit() as unit:
        unit.pace._session.execute(update(Trial).values(seconds=0.5))  # in place of what this machine took
    job = {**JOB, "compute": {"trials_per_study": 1200}}
    plan = browser.post("/v1/jobs?validate_only=true", json=job).json()
    page = plain(browser.post("/jobs/new", data=sent(job)).text)
    assert plan["trials"] == 2400
    assert "at most 2 400" in page
    assert "bit_budget the budget 1 192" in page
    # 2 studies of 1,200 trials of 1,000 samples; 8,000 took 0.5 s; two trials at a time
    assert "Time about 75 s by 4 earlier trials" in page
    other = {**JOB, "architecture": {"name": "conv-net", "width": 3}}
    assert "Time not known" in plain(browser.post("/jobs/new", data=sent(other)).text)


def test_a_form_that_is_sent_twice_is_one_job(browser: TestClient) -> None:
    nonce = re.search(r'name="nonce" value="([^"]+)"', browser.get("/jobs/new").text)
    assert nonce is not None
    first, again, other = (
        browser.post("/jobs/new", data=sent({**JOB, "name": name}, action="submit", nonce=nonce[1]))
        for name in ("a", "a", "b")
    )
    assert first.status_code == 303
    assert first.headers["location"] == again.headers["location"] != other.headers["location"]
    assert browser.get(first.headers["location"]).status_code == 200


def test_a_clone_is_the_same_job_with_fields_that_the_form_does_not_show(browser: TestClient) -> None:
    job = {**JOB, "hardware": {"rows": 8}, "labels": {"paper": "a b"}, "priority": 3}
    job |= {"constraints": [{"metric": "weight_kib", "max": 9, "scope": "all"}], "targets": []}
    source = browser.post("/v1/jobs", json=job).json()
    page = browser.get(f"/jobs/new?from={source['id']}").text
    posted: dict[str, list[str]] = {}
    for name, value in inputs(page):
        posted.setdefault(name, []).append(value)
    answer = browser.post("/jobs/new", data={**posted, "action": "submit"})
    made = browser.get("/v1" + answer.headers["location"]).json()
    assert [made[name] for name in ("spec", "labels", "priority")] == [
        source[name] for name in ("spec", "labels", "priority")
    ]


def inputs(page: str) -> list[tuple[str, str]]:
    """What a browser would send of the page's form."""
    form = page[page.index('<form id="new-job"') : page.index("</form>", page.index('<form id="new-job"'))]
    pattern = re.compile(
        r'<input([^>]*?)name="([^"]+)" value="([^"]*)"([^>]*)>|<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>'
        r'|<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>',
        re.DOTALL,
    )
    found = []
    for before, name, value, after, select, options, area, text in pattern.findall(form):
        if name and ("checkbox" not in before or "checked" in after):
            found.append((name, html.unescape(value)))
        elif select:
            chosen = re.search(r'value="([^"]*)" selected', options)
            found.append((select, html.unescape(chosen[1]) if chosen else ""))
        elif area:
            found.append((area, html.unescape(text)))
    return found


def test_the_address_names_fields_that_take_the_place_of_those_there(browser: TestClient) -> None:
    page = browser.get("/jobs/new?/name=linked&/training/lr=0.5&/methods=").text
    assert re.search(r'name="/name" value="linked"', page)
    assert "lr: 0.5" in page
    assert "0 values are too few" in errors(page, "/methods")
    assert browser.get("/jobs/new?from=job-none").status_code == 404
    assert browser.post("/jobs/new", data={"from": "a\0b"}).status_code == 404


def test_what_a_person_wrote_stays_text(browser: TestClient) -> None:
    evil = "</script><script>alert(1)</script>"
    page = browser.post("/jobs/new", data={**form_of(JOB), "/name": evil, "/other": evil, "/x" + evil: evil})
    assert evil not in page.text


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_a_form_of_another_site_is_refused(browser: TestClient, origin: str | None) -> None:
    del browser.headers["Origin"]
    headers = {} if origin is None else {"Origin": origin}
    answer = browser.post("/jobs/new", data=sent(JOB, action="submit"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_a_key_that_may_read_checks_by_address_and_cannot_submit(browser_of: BrowserOf) -> None:
    reader = browser_of("read")
    page = reader.get("/jobs/new?/name=x").text
    assert "What it comes to" in page
    assert 'value="submit"' not in page
    assert 'method="get"' in page
    assert reader.post("/jobs/new", data=sent(JOB, action="submit")).status_code == 403
    assert 'value="submit"' in browser_of("submit").get("/jobs/new").text


def test_a_quota_that_is_used_up_is_told(browser_of: BrowserOf, api_store: Store) -> None:
    with api_store.unit() as unit:
        unit.workspaces.set_quotas("default", Quotas(queued_jobs=1))
    browser = browser_of("submit")
    first, second = (browser.post("/jobs/new", data=sent(JOB, action="submit")) for _ in "ab")
    assert first.status_code == 303
    assert second.status_code == 429
    assert "Retry-After" in second.headers
    assert "quota queued_jobs" in second.text


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/budget/max/1", "/budget/max"),
        ("/budget", "/budget/metric"),
        ("/budget/maximum", "/other"),
        ("/hardware/rows", "/other"),
        ("", None),
    ],
)
def test_a_pointer_leads_to_a_field(pointer: str, field: str | None) -> None:
    assert field_at(pointer, ["/name", "/budget/metric", "/budget/max", "/other"]) == field
