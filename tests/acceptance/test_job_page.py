"""The job page in a real browser: the chart, the choices, the layers of a point, and live results."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_look(site, open_page, keep) -> None:
    search = site.search()
    search.fill()
    search.add_failure("random", 1, message="the loss is not a number")
    search.end()
    page = open_page(f"/jobs/{search.job.id}")
    page.wait_for_timeout(1500)
    keep(page, "job")
    page.locator("#front-table tbody tr").nth(5).click()
    page.wait_for_timeout(700)
    keep(page, "chosen")
    keep(open_page("/jobs"), "jobs")
    page = open_page(f"/jobs/{search.job.id}", dark=True); page.wait_for_timeout(1500); keep(page, "dark")
    page = open_page(f"/jobs/{search.job.id}", width=390, height=844); page.wait_for_timeout(1500); keep(page, "narrow")
    with site.store.unit() as unit:
        pid = unit.fronts.best(search.job.id, metric="bit_budget", maximum=4).id
    keep(open_page(f"/points/{pid}"), "point")
