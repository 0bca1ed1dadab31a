"""The pages of ablations in a real browser: the table, the charts, and results that arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ablated(site: Any) -> Any:
    """An ablation whose jobs have all ended; no test changes it."""
    made = site.ablation("fashion-resnet")
    for _ in range(made.jobs):
        made.run_one()
    return made


def test_every_group_has_a_chart_and_a_table(open_page: OpenPage, ablated: Any, keep: Keep) -> None:
    page = open_page(ablated.path, width=1280)
    expect(page.locator("#headline .state")).to_have_text("succeeded")
    for group, variants in (("learned", 5), ("renewal", 3), ("steps", 3), ("targets", 2)):
        chart = page.locator(f'[data-figure="{group}"]')
        expect(chart).to_have_attribute("data-series", str(variants))
        expect(chart.locator("canvas")).to_be_visible()
        expect(page.locator(f"#table-{group} tbody")).to_have_count(variants)
    cell = page.locator("#table-learned tbody").first.locator("td").nth(1)
    expect(cell).to_contain_text("±")
    keep(page, "ablation")


def test_a_job_of_a_variant_leads_back(open_page: OpenPage, ablated: Any) -> None:
    page = open_page(ablated.path)
    page.locator("#table-renewal").get_by_role("link", name="job").first.click()
    expect(page.locator("#studies")).to_be_visible()
    page.get_by_role("link", name="ablation fashion-resnet").click()
    expect(page.locator("#table-renewal")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(open_page: OpenPage, ablated: Any, keep: Keep, dark: bool) -> None:
    page = open_page(ablated.path, width=390, dark=dark)
    expect(page.locator('[data-figure="learned"] canvas')).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, f"ablation-phone-{'dark' if dark else 'light'}")


def test_without_script_the_table_is_there(open_page: OpenPage, ablated: Any, keep: Keep) -> None:
    page = open_page(ablated.path, script=False, width=1280, dark=True)
    expect(page.locator("#table-targets tbody")).to_have_count(2)
    expect(page.get_by_role("link", name="CSV").first).to_be_visible()
    expect(page.get_by_role("button", name="PNG").first).to_be_hidden()
    keep(page, "ablation-plain-dark")


def test_results_appear_as_jobs_end(open_page: OpenPage, site: Any, keep: Keep) -> None:
    made = site.ablation("live-ablation")
    page = open_page(made.path)
    chart = page.locator('[data-figure="learned"]')
    expect(chart).to_have_attribute("data-points", "0")
    page.evaluate("window.sameDocument = true")
    made.run_one()
    expect(chart).to_have_attribute("data-points", "3")
    expect(page.locator("#progress")).to_contain_text(f"1 of {made.jobs} ended")
    expect(page.locator("#table-learned tbody").first).to_contain_text("3 of 3")
    assert page.evaluate("window.sameDocument") is True
    for _ in range(made.jobs - 1):
        made.run_one()
    expect(page.locator("#headline .state")).to_have_text("succeeded")


def test_the_list_leads_to_each(open_page: OpenPage, ablated: Any, keep: Keep) -> None:
    page = open_page("/jobs")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Ablations").click()
    keep(page, "ablations")
    page.get_by_role("link", name="fashion-resnet").click()
    expect(page.locator("#headline")).to_contain_text(ablated.id)
