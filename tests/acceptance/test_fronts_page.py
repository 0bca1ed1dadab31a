"""The page of fronts in a real browser: a budget, a region, a zoom, what the address keeps, and no script."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.painted import COLOURS, place_of

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


def test_a_budget_a_region_and_files(
    open_page: OpenPage, site: Any, finished: Any, keep: Keep, tmp_path: Path
) -> None:
    other = site.search("fashion-wide")
    for cost in (1.5, 3.5, 7.5):
        other.add_point("random", 0, cost=cost, accuracy=0.8)
    other.end()
    page = open_page("/jobs")
    for name in ("fashion-resnet", "fashion-wide"):
        page.get_by_label(f"Tick {name}").check()
    page.get_by_role("button", name="Overlay the fronts").click()
    chart = page.locator("#cloud-chart")
    expect(chart).to_have_attribute("data-points", "108")
    expect(page.locator("#growth canvas")).to_be_visible()
    assert lines_of(page, "[data-front='0']") > 0
    assert lines_of(page, "") == 108
    paler = {"reach": 1, "apart": 55}  # beaten points
    assert [method for method, colour in COLOURS.items() if place_of(chart, colour, **paler) is None] == []

    page.get_by_label("bit_budget at most").fill("4")
    page.keyboard.press("Tab")
    expect(page.locator("#best-budget")).to_have_text("4")
    expect(page.locator("#best tbody tr")).to_have_count(6)
    page.locator("#budget-slider").focus()
    page.keyboard.press("Home")
    expect(page.locator("#best")).to_contain_text("nothing feasible fits")

    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 300, steps=4)
    page.mouse.up()
    expect(page.get_by_role("heading", name="Points in the region")).to_be_visible()
    assert re.search(r"cost_min=[\d.]+&cost_max=[\d.]+&score_min=[\d.]+&score_max=", page.url)
    assert 0 < lines_of(page, "[data-front='1']") < 108
    page.get_by_role("button", name="Zoom to the region").click()
    expect(page.get_by_role("button", name="Show the whole")).to_be_visible()
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            page.locator(f"[data-draw={kind}]").click()
        download.value.save_as(tmp_path / f"chart.{kind}")
    assert "gradient" in (tmp_path / "chart.svg").read_text()

    again = open_page(page.url.removeprefix(site.url), width=390, dark=True)
    expect(again.get_by_role("button", name="Show the whole")).to_be_visible()
    expect(again.locator("#points tbody tr")).to_have_count(page.locator("#points tbody tr").count())
    assert again.evaluate("document.documentElement.scrollWidth") <= 390
    keep(again, "fronts-390-dark")


def lines_of(page: Page, which: str) -> int:
    """How many points the parallel coordinates draw as lines that stand out, or do not, or all."""
    drawn = page.locator(f"#parallel path[data-lines]{which}").all()
    return sum(int(one.get_attribute("data-lines") or 0) for one in drawn)


def test_without_script_the_form_names_the_best_points(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path, script=False)
    page.get_by_role("link", name="Explore this front").click()
    page.get_by_label("bit_budget at most").fill("2")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "budget=2" in page.url
    rows = page.locator("#best tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first.get_by_role("link", name=re.compile("point-"))).to_be_visible()
    expect(page.locator("#points tbody tr").first).to_be_visible()
