"""The comparison of a job in a real browser: verdict, pictures, choices, and a search that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]
CHART = '[data-figure="test-hypervolume-over-compute"]'


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_everything_is_drawn_and_fits(
    open_page: OpenPage, finished: Any, keep: Keep, width: int, dark: bool
) -> None:
    page = open_page(finished.path + "/comparison", width=width, dark=dark)
    expect(page.locator("#verdict")).to_contain_text("gradient beats")
    expect(page.locator(CHART)).to_have_attribute("data-series", "5")
    expect(page.locator(f"{CHART} canvas")).to_be_visible()
    expect(page.locator("#differences svg.dot")).to_have_count(4)
    expect(page.locator("#accuracies svg.whiskers")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.locator("svg.whiskers").all():
        assert cut_off(page, picture) == []
    keep(page, f"comparison-{width}-{'dark' if dark else 'light'}")


def test_marks_stand_where_their_ticks_say(open_page: OpenPage, finished: Any) -> None:
    """The dot of a difference is where its number is on the scale that the ticks make."""
    page = open_page(finished.path + "/comparison")
    picture = page.locator("#differences svg.whiskers")
    ticks = {float(tick.text_content() or ""): middle(tick) for tick in picture.locator(".tick").all()}
    last = max(ticks)
    assert middle(picture.locator(".zero").first) == pytest.approx(ticks[0], abs=2)
    for row in picture.locator("g").all():
        value = float((row.locator(".words").text_content() or "").split()[0])
        place = ticks[0] + (ticks[last] - ticks[0]) * value / last
        assert middle(row.locator("svg.dot path")) == pytest.approx(place, abs=3)


def test_the_job_page_and_the_figures_lead_there(open_page: OpenPage, finished: Any) -> None:
    for start in (finished.path, finished.path + "/figures"):
        page = open_page(start)
        page.get_by_role("link", name="Compare the methods").click()
        expect(page.get_by_role("heading", name="Comparison")).to_be_visible()


def test_the_choice_is_in_the_address(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path + "/comparison")
    page.locator("select[name=subject]").select_option("random")
    page.locator("select[name=accuracy]").select_option("validation")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/comparison?subject=random&accuracy=validation")
    expect(page.locator("#verdict")).to_contain_text("random loses to gradient")
    expect(page.locator('[data-figure="validation-hypervolume-over-compute"] canvas')).to_be_visible()
    expect(page.locator("#differences tbody tr")).to_have_count(4)


def test_without_script_pictures_and_tables_are_there(open_page: OpenPage, finished: Any, keep: Keep) -> None:
    page = open_page(finished.path + "/comparison", script=False)
    expect(page.locator("#verdict")).to_contain_text("gradient beats")
    expect(page.locator("#differences svg.whiskers")).to_be_visible()
    expect(page.locator("#hypervolumes tbody tr")).to_have_count(5)
    page.locator("select[name=subject]").select_option("uniform")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Is uniform better than the others?")).to_be_visible()
    keep(page, "comparison-plain")


def test_a_search_that_goes_on_has_no_verdict_until_it_ends(
    open_page: OpenPage, site: Any, keep: Keep
) -> None:
    search = site.search("live-comparison")
    page = open_page(search.path + "/comparison")
    expect(page.locator("#verdict")).to_contain_text("These methods cannot be judged")
    page.evaluate("window.sameDocument = true")
    search.fill()
    expect(page.locator("#hypervolumes tbody tr").first).to_contain_text("gradient")
    expect(page.locator(CHART)).not_to_have_attribute("data-points", "0")
    keep(page, "comparison-live")
    search.end()
    expect(page.locator("#verdict")).to_contain_text("gradient beats")
    assert page.evaluate("window.sameDocument") is True


def middle(element: Any) -> float:
    """The middle of an element, in pixels from the left."""
    box = element.bounding_box()
    assert box is not None
    return float(box["x"] + box["width"] / 2)


def cut_off(page: Page, picture: Any) -> list[str]:
    """The words of a picture that reach out of it, or into each other's line."""
    return list(
        picture.evaluate(
            """(svg) => {
              const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")];
              const out = texts.filter((text) => {
                const own = text.getBoundingClientRect();
                return own.left < box.left - 1 || own.right > box.right + 1;
              });
              const place = (row, of) => row.querySelector(of).getBoundingClientRect();
              const meet = [...svg.querySelectorAll("g")].filter(
                (row) => place(row, ".name").right > place(row, ".words").left,
              );
              return [...out, ...meet].map((one) => one.textContent);
            }"""
        )
    )
