"""Pages while a search runs: results appear without a reload, also after a lost connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from workers.report import TrialFailure

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def test_results_appear_as_they_arrive(open_page: OpenPage, site: Any, keep: Any) -> None:
    search = site.search("live")
    search.add_point("gradient", 0, cost=1.9)
    page = open_page(search.path)
    chart = page.locator("#front-chart")
    expect(chart).to_have_attribute("data-points", "1")
    page.evaluate("window.sameDocument = true")
    keep(page, "early")

    search.add_point("uniform", 0, cost=3.9)
    expect(chart).to_have_attribute("data-points", "2")
    expect(page.locator("#progress")).to_contain_text("2 of at most 106")
    expect(study(page, "uniform").locator("td").nth(1)).to_have_text("1")
    search.add_failure("random", 0, message="<b>the loss</b> is not a number")
    expect(page.locator("#failures")).to_contain_text("<b>the loss</b> is not a number")
    search.start_trial("optuna-tpe", 0)
    expect(study(page, "optuna-tpe").locator("td").nth(3)).to_have_text("1")
    expect(page.locator("#connection")).to_have_text("live")

    search.end()
    expect(page.locator("#headline .state")).to_have_text("succeeded")
    assert page.evaluate("window.sameDocument") is True


def test_choices_and_focus_outlive_updates(open_page: OpenPage, site: Any) -> None:
    search = site.search("steady")
    search.add_point("gradient", 0, cost=1.9)
    page = open_page(search.path + "?metric=s_ace&hide=random")
    link = page.locator("#front-table tbody a").first
    link.press("Enter")
    expect(page.locator("#selected .layer-table")).to_be_visible()
    link.focus()
    search.add_point("random", 0, cost=3.9)
    search.add_point("gradient", 1, cost=3.9)
    expect(page.locator("#front-chart")).to_have_attribute("data-points", "2")
    expect(page.locator("#front-table tbody tr")).to_have_count(2)
    expect(page.locator("#front-table tbody a").first).to_be_focused()
    expect(page.locator("#front-table tbody tr.chosen")).to_have_count(1)
    expect(page.locator("#selected .layer-table")).to_be_visible()
    expect(page.locator("#front-chart")).to_have_attribute("data-metric", "s_ace")


def test_a_lost_stream_is_taken_up_again(open_page: OpenPage, site: Any, console: list[str]) -> None:
    search = site.search("lost")
    page = open_page("/jobs")
    refused: list[str] = []

    def refuse_first(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=503)

    page.route(re.compile("/events"), refuse_first)
    page.goto(site.url + search.path)
    expect(page.locator("#connection")).to_have_text("reconnecting")
    search.add_point("gradient", 0, cost=1.9)
    expect(page.locator("#front-chart")).to_have_attribute("data-points", "1")
    expect(page.locator("#connection")).to_have_text("live")
    assert len(refused) == 1
    assert all("503" in message for message in console)
    console.clear()


def test_the_list_of_jobs_is_kept_up_to_date_and_keeps_ticks(open_page: OpenPage, site: Any) -> None:
    first = site.search("listed-first")
    page = open_page("/jobs")
    expect(page.locator("#connection")).to_have_text("live")
    row = page.locator("#listing tbody tr").filter(has_text="listed-first")
    expect(row.locator(".state")).to_have_text("running")
    row.get_by_role("checkbox").check()
    other = site.search("listed-second")
    expect(page.locator("#listing tbody tr").first).to_contain_text("listed-second")
    first.add_point("gradient", 0, cost=1.9)
    expect(row).to_contain_text("1 of 106 trials")
    expect(row.get_by_role("checkbox")).to_be_checked()
    other.end()
    first.end()
    expect(row.locator(".state")).to_have_text("succeeded")
    expect(page.locator("#updated")).to_have_text("just now")


@pytest.mark.parametrize(
    "path", ["/jobs/{job}/trials", "/trials/{trial}", "/jobs/{job}/figures", "/fronts?job={job}"]
)
def test_other_pages_follow_the_job(open_page: OpenPage, site: Any, path: str) -> None:
    search = site.search("followed")
    search.add_point("gradient", 0, cost=1.9)
    trial = search.start_trial("uniform", 0)
    page = open_page(path.format(job=search.claim.job_id, trial=trial))
    expect(page.locator("#connection")).to_have_text("live")
    search.add_point("gradient", 1, cost=1.8)
    with site.store.unit() as unit:
        unit.results.fail(search.claim, trial, TrialFailure(reason="lost", message="its worker died"))
    search.end()
    expect(page.locator("#connection")).to_have_text("")


def test_a_page_that_nobody_sees_holds_no_connection(open_page: OpenPage, site: Any) -> None:
    search = site.search("hidden")
    page = open_page(search.path)
    expect(page.locator("#connection")).to_have_text("live")
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/events" in request.url else None)
    see(page, hidden=True)
    search.add_point("gradient", 0, cost=1.9)
    page.wait_for_timeout(1500)
    expect(page.locator("#front-chart")).to_have_attribute("data-points", "0")
    assert opened == []
    see(page, hidden=False)
    expect(page.locator("#front-chart")).to_have_attribute("data-points", "1")
    assert len(opened) == 1
    search.end()
    expect(page.locator("#headline .state")).to_have_text("succeeded")


def see(page: Page, *, hidden: bool) -> None:
    """Tell a page that it came into or went out of sight."""
    script = "Object.defineProperty(document, 'hidden', {value: HIDDEN, configurable: true});"
    event = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(script.replace("HIDDEN", str(hidden).lower()) + event)


def study(page: Page, method: str) -> Any:
    """The row of a method's first seed in the table of studies."""
    return page.locator("#studies tbody tr").filter(has_text=method).first
