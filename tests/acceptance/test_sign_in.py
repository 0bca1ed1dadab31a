"""Signing in with a real browser: the form, live pages with the cookie, and signing out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.stage import Search, Site

pytestmark = pytest.mark.browser


def test_an_administrator_makes_a_webhook_and_has_a_point_trained_again(
    site: Site, finished: Search, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    page = open_page("/admin", width=390)
    page.get_by_label("Address").fill("https://hooks.example.org/<i>")
    page.get_by_label("job.cancelled").uncheck()
    page.get_by_role("button", name="Make webhook").click()
    expect(page.get_by_role("status")).to_contain_text("whsec_")
    keep(page, "admin-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="https://hooks.example.org/<i>").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("table")).to_contain_text("waiting")
    keep(page, "webhook-narrow")
    with site.store.unit() as unit:
        point = unit.points.page(finished.claim.job_id, limit=1, cursor=None).items[0].id
    page.goto(f"{site.url}/points/{point}")
    page.get_by_role("button", name="Rerun exactly").click()
    expect(page.get_by_role("region", name="Reruns")).to_contain_text("waiting")
    expect(page.get_by_role("button", name="Rerun exactly")).to_be_disabled()


def test_a_person_signs_in_sees_a_live_job_and_signs_out(
    site: Site, finished: Search, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    with site.store.unit() as unit:
        _, key = unit.keys.create(workspace="default", name="person", scope="read", lives=timedelta(days=1))
    page = open_page(finished.path)
    keep(page, "sign-in")
    page.get_by_label("Key").fill(key.text)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(site.url + finished.path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("fashion-resnet")
    expect(page.locator("canvas, svg").first).to_be_visible()
    keep(page, "signed-in")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/jobs")
    expect(page.get_by_label("Key")).to_be_visible()
