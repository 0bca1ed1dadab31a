"""The job page in a real browser: the chart, the choices, and the layers of a point."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.painted import COLOURS, place_of

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]
POINTS = 5 * 3 * 7
DARK_GRADIENT = "#3d9fd8"


def test_the_chart_draws_every_point(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path)
    expect(chart(page)).to_have_attribute("data-points", str(POINTS))
    page.wait_for_timeout(500)
    paler = {"reach": 1, "apart": 55}  # points that are not on the front
    assert [
        method for method, colour in COLOURS.items() if place_of(chart(page), colour, **paler) is None
    ] == []
    keep(page, "job")


def test_a_click_on_a_point_shows_its_layers(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path)
    expect(chart(page)).to_have_attribute("data-points", str(POINTS))
    page.wait_for_timeout(500)
    x, y = place_of(chart(page), COLOURS["gradient"]) or (0, 0)
    chart(page).locator("canvas").click(position={"x": x, "y": y})
    panel = page.locator("#selected")
    expect(panel).to_contain_text("gradient, seed")
    expect(panel.locator("svg.layers rect.weight")).to_have_count(36)  # a bar and a cell for each layer
    expect(panel.locator(".layer-table tbody tr")).to_have_count(18)
    page.wait_for_timeout(400)
    keep(page, "chosen")
    point_id = re.search(r"point=(point-[0-9a-f]{16})", page.url)
    assert point_id is not None
    panel.get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text(point_id[1])


def test_the_keyboard_reaches_the_layers(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path)
    link = page.locator("#front-table tbody a").first
    link.focus()
    link.press("Enter")
    panel = page.locator("#selected")
    expect(panel.locator(".layer-table")).to_be_visible()
    expect(panel).to_be_focused()
    assert "point=point-" in page.url
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert "point=" not in page.url


def test_the_table_behind_the_chart_has_every_point(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path)
    page.get_by_text("All points of the chart as a table").click()
    rows = page.locator("#all-points-table tbody tr")
    expect(rows).to_have_count(POINTS)
    expect(rows.filter(has_text="over a limit").first).to_be_visible()
    rows.nth(3).locator("th").click()
    expect(page.locator("#selected .layer-table")).to_be_visible()


def test_the_choice_of_cost_is_in_the_address(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path)
    page.get_by_role("combobox", name="Cost").select_option("s_ace")
    expect(chart(page)).to_have_attribute("data-metric", "s_ace")
    expect(page.locator("#front-table thead")).to_contain_text("s_ace")
    expect(page).to_have_url(re.compile(r"metric=s_ace"))
    page.reload()
    expect(chart(page)).to_have_attribute("data-metric", "s_ace")
    page.get_by_role("combobox", name="Cost").select_option("bit_budget")
    expect(page).not_to_have_url(re.compile("metric="))


def test_every_other_choice_is_in_the_address_too(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path)
    page.locator("#legend").get_by_label("random").uncheck()
    page.get_by_label("logarithmic cost").uncheck()
    page.get_by_role("combobox", name="Accuracy").select_option("test")
    expect(chart(page)).to_have_attribute("data-points", str(POINTS - 3 * 7))
    expect(page.locator("#studies thead")).to_contain_text("Best test accuracy")
    expect(page).to_have_url(re.compile(r"\?(?=.*accuracy=test)(?=.*x=linear)(?=.*hide=random)"))
    page.reload()
    expect(chart(page)).to_have_attribute("data-points", str(POINTS - 3 * 7))
    expect(page.locator("#legend").get_by_label("random")).not_to_be_checked()
    expect(page.get_by_label("logarithmic cost")).not_to_be_checked()


def test_nothing_is_cut_off_on_a_phone(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path, width=390)
    expect(chart(page)).to_have_attribute("data-points", str(POINTS))
    page.locator("#front-table tbody tr").first.click()
    expect(page.locator("#selected .layer-table")).to_be_visible()
    page.wait_for_timeout(400)
    keep(page, "phone")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for path in ("/jobs", f"/points/{best_point(page)}"):
        other = open_page(path, width=390)
        keep(other, "phone-" + path.split("/")[1])
        assert other.evaluate("document.documentElement.scrollWidth") == 390


def test_the_page_turns_dark_while_it_is_open(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path)
    expect(chart(page)).to_have_attribute("data-points", str(POINTS))
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(600)
    assert place_of(chart(page), DARK_GRADIENT) is not None
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 19, 23)"
    keep(page, "dark")


def test_the_tables_are_there_without_scripts(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path + "?metric=weight_kib", script=False)
    assert page.locator("#front-table tbody tr").count() > 0
    assert page.locator("#studies tbody tr").count() == 15
    expect(page.locator("#failures")).to_contain_text("the loss is not a number")
    expect(page.get_by_text("The chart needs JavaScript")).to_be_visible()
    expect(chart(page)).to_be_hidden()
    keep(page, "plain")


def test_the_pages_around_it(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page("/")
    expect(page).to_have_url(re.compile("/jobs$"))
    keep(page, "jobs")
    page.get_by_role("link", name="fashion-resnet").click()
    expect(page.locator("h1")).to_have_text("fashion-resnet")
    page.get_by_role("region", name="Studies").locator("a").first.click()
    expect(page.locator("h1")).to_contain_text("point-")
    keep(page, "point")


def chart(page: Page) -> Any:
    """The box of the front chart."""
    return page.locator("#front-chart")


def best_point(page: Page) -> str:
    """The id of the last point on the front."""
    return str(page.locator("#front-table tbody tr").last.get_attribute("data-point"))
