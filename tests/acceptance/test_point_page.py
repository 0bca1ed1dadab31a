"""The page of a point in a real browser: how it was trained, and a rerun that ends while the page is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.figures.learning import CURVES

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def point(site: Any) -> str:
    """The page of a learned point of a job that has ended."""
    search = site.search("point-page")
    search.add_point("gradient", 0, cost=1.9)
    search.end()
    with site.store.unit() as unit:
        return f"/points/{unit.points.page(search.claim.job_id, limit=1, cursor=None).items[0].id}"


def test_it_draws_the_learning_curves_of_its_trial(open_page: OpenPage, point: str) -> None:
    page = open_page(point)
    for key in CURVES:
        expect(page.locator(f'[data-figure="{key}"] canvas')).to_be_visible()
    plain = open_page(point, script=False)
    plain.locator("#numbers-accuracy").scroll_into_view_if_needed()
    assert plain.locator("#numbers-accuracy tbody tr").count() > 1


def test_a_rerun_ends_without_a_reload(open_page: OpenPage, site: Any, point: str) -> None:
    page = open_page(point)
    page.get_by_role("button", name="Rerun exactly").click()
    expect(page.locator("#reruns")).to_contain_text("waiting")
    expect(page.get_by_role("button", name="Rerun exactly")).to_be_disabled()
    page.evaluate("window.sameDocument = true")
    with site.store.unit() as unit:
        claim = unit.reruns.claim("acceptance", 60)
        assert claim is not None
        unit.reruns.fail(claim, "<i>its worker</i> died")
    expect(page.locator("#reruns")).to_contain_text("failed: <i>its worker</i> died")
    expect(page.get_by_role("button", name="Rerun exactly")).to_be_enabled()
    expect(page.locator("#connection")).to_have_text("")
    assert page.evaluate("window.sameDocument") is True
