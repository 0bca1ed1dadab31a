"""Building a job in a real browser: with and without a script, on a phone, from a job that is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.stage import Site

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


def specs(site: Site) -> list[dict[str, Any]]:
    with site.store.unit() as unit:
        return [job.spec for job in unit.jobs.page(limit=10, cursor=None, state=None).items]


def test_without_a_script_a_clone_is_mended_and_submitted_on_a_phone(
    site: Site, open_page: OpenPage, console: list[str], keep: Keep
) -> None:
    search = site.search("fashion-resnet")
    search.add_point("random", 0, cost=1.9)
    page = open_page(search.path, width=390, script=False)
    page.get_by_role("link", name="Clone with changes").click()
    expect(page.get_by_label("Network", exact=True)).to_have_value("resnet20")
    page.get_by_label("Epochs per trial").fill("none")
    page.get_by_label("Budgets").fill("0.01")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text('Epochs per trial: "none" is not a whole number')
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "new-job-phone-errors")
    page.get_by_role("alert").get_by_role("link", name="Epochs per trial").click()
    page.get_by_label("Epochs per trial").fill("2")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("Budgets:")
    console.clear()  # of the browser, about the status 422
    page.get_by_label("Budgets").fill("4")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#result")).to_contain_text("earlier trial of this network")
    keep(page, "new-job-phone")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("fashion-resnet")
    assert specs(site)[0]["training"]["epochs"] == 2
    dark = open_page(f"/jobs/new?from={search.claim.job_id}&/training/lr=x", dark=True)
    expect(dark.get_by_role("alert")).to_be_focused()
    keep(dark, "new-job-dark")


def test_a_job_is_built_checked_while_it_is_typed_and_submitted(
    site: Site, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("/jobs", width=1280)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="New job").click()
    keep(page, "new-job")
    name = page.get_by_label("Name", exact=True)
    name.fill("two words")
    expect(page.locator('[data-field="/name"]')).to_contain_text("is not a name")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("by-hand")
    expect(page.get_by_role("status")).to_have_text("This job can be submitted.")
    expect(page.locator('[data-field="/name"] .field-errors')).to_be_empty()
    page.get_by_label("Network", exact=True).select_option("resnet20")
    stem = page.get_by_label("stem", exact=True)
    expect(stem).to_be_visible()
    page.get_by_label("width", exact=True).fill("4")
    expect(page.locator("#text-yaml")).to_contain_text("width: 4")
    page.get_by_role("textbox", name="At most").fill("64")
    page.get_by_role("group", name="Constraint 1").get_by_label("Cost").select_option("weight_kib")
    expect(page.get_by_role("group", name="Constraint 2")).to_be_visible()
    page.locator("#snippet-python > summary").click()
    page.get_by_label("Seeds").fill("7")
    expect(page.locator("#text-python")).to_contain_text("'seeds': [7]")
    expect(page.locator("#snippet-python")).to_have_attribute("open", "")
    expect(page.locator("#result")).to_contain_text("bit_budget")
    page.get_by_role("button", name="Copy Python").click()
    expect(page.locator("[data-copy=python]")).to_have_text(re.compile("Copied|Selected"))
    keep(page, "new-job-checked")
    again = open_page(page.url.removeprefix(site.url))
    expect(again.get_by_label("width", exact=True)).to_have_value("4")
    expect(again.get_by_label("Seeds")).to_have_value("7")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("by-hand")
    spec = specs(site)[0]
    assert (spec["architecture"], spec["seeds"]) == ({"name": "resnet20", "width": 4}, [7])
