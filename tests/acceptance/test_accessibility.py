"""Every page against the rules of WCAG 2.2 A and AA that axe can check; wide and light, narrow and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: Mapping[str, tuple[Literal["light", "dark"], int]] = {"light": ("light", 1200), "dark": ("dark", 390)}
"""Colours, and width in pixels."""


@pytest.fixture(scope="module")
def paths(site: Any, finished: Any) -> list[str]:
    """One page of each kind."""
    job = finished.path
    ablated = site.ablation("accessible")
    ablated.run_one()
    with site.store.unit() as unit:
        points = unit.points.page(finished.claim.job_id, limit=2, cursor=None).items
    return [
        "/jobs",
        "/jobs/new",
        job,
        f"{job}/figures",
        f"{job}/comparison",
        f"{job}/trials",
        f"/fronts?job={finished.claim.job_id}",
        f"/points/{points[0].id}",
        f"/points/{points[0].id}/difference/{points[1].id}",
        f"/trials/{points[0].trial_id}",
        "/ablations",
        ablated.path,
        "/batches",
        "/queue",
        "/uploads",
        "/admin",
        "/sign-in",
        "/jobs/job-0000000000000000",
    ]


def test_no_page_breaks_a_rule(open_page: OpenPage, site: Any, paths: list[str], console: list[str]) -> None:
    page = open_page("/jobs")
    found = []
    for path in paths:
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        for look, (scheme, width) in LOOKS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{path}, {look}: {line}" for line in _broken(page)]
    console.clear()  # the browser notes the page that is missing on purpose
    assert not found, "\n".join(found)


def test_a_page_that_breaks_a_rule_is_noticed(open_page: OpenPage) -> None:
    page = open_page("/jobs")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input>')")
    assert "label" in [one["id"] for one in _violations(page)]


def _broken(page: Page) -> Iterator[str]:
    for one in _violations(page):
        for node in one["nodes"]:
            yield f"{one['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"


def _violations(page: Page) -> list[Any]:
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found: list[Any] = Axe().run(page, options=options).response["violations"]
    return found
