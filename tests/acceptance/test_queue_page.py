"""The page of the queue in a real browser: kept up to date while it is open, on a phone, without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.store import Claim
from service.store.queue import Presence

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]
RAY = {"nodes": 1, "cpus": 8.0, "cpus_used": 2.0, "gpus": 0.0, "gpus_used": 0.0}


def submit(site: Any, spec: Any, priority: int = 0) -> str:
    with site.store.unit() as unit:
        return str(
            unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=None, priority=priority)[0].id
        )


def beat(site: Any, name: str, **known: Any) -> None:
    with site.store.unit() as unit:
        unit.queue.beat(Presence(id=name, host="lab", pid=1, lease_seconds=600.0, **known))


def claim(site: Any, owner: str, seconds: float) -> Claim:
    with site.store.unit() as unit:
        found = unit.jobs.claim(owner, seconds)
    assert found is not None
    return found


def test_the_queue_is_shown_as_it_changes(open_page: OpenPage, site: Any, job_spec: Any, keep: Keep) -> None:
    page = open_page("/jobs", width=1280)
    page.get_by_role("link", name="Queue").click()
    expect(page.locator("#dispatchers")).to_contain_text("No dispatcher is running")
    for number in range(4):
        submit(site, job_spec(name=f"sweep-{number}"), priority=number % 2)
    expect(page.locator("#queued tbody tr")).to_have_count(4)
    expect(page.locator("#queued tbody tr").first).to_contain_text("sweep-1")
    expect(page.locator("#queued tbody tr").first).to_contain_text("No dispatcher is running")
    beat(site, "lab-1", ray=RAY)
    beat(site, "lab-2", ray=RAY, ray_age=9999.0)
    claim(site, "lab-1", 600.0)
    late = claim(site, "gone-7", -100.0)
    with site.store.unit() as unit:
        unit.incidents.late_result(
            late.job_id, trial_id="trial-0", what="success", dispatcher="gone-7", token=late.token
        )
    expect(page.locator("#queued tbody tr").first).to_contain_text("all dispatchers have a job (1 of 1)")
    expect(page.locator("#running tbody tr")).to_have_count(2)
    expect(page.locator("#running")).to_contain_text("to be taken over")
    expect(page.locator("#dispatchers")).to_contain_text("does not answer")
    expect(page.locator("#dispatchers")).to_contain_text("2 of 8")
    keep(page, "queue")
    page.locator("#running").get_by_role("link", name="sweep-3").click()
    expect(page.locator("#incidents")).to_contain_text("late success, rejected")
    keep(page, "job-incidents")
    dark = open_page("/queue", width=1280, dark=True)
    keep(dark, "queue-dark")
    phone = open_page("/queue", width=390)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    keep(phone, "queue-phone")
    plain = open_page("/queue", script=False)
    expect(plain.locator("#queued tbody tr")).to_have_count(2)
