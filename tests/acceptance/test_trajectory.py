"""The slider over epochs in a real browser: by the keyboard, in the address, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def point(site: Any, finished: Any) -> str:
    """The page of a learned point."""
    with site.store.unit() as unit:
        points = unit.points.page(finished.claim.job_id, limit=100, cursor=None).items
    return f"/points/{next(one.id for one in points if one.method == 'gradient')}"


def test_the_keyboard_moves_through_the_epochs(open_page: Callable[..., Page], site: Any, point: str) -> None:
    page = open_page(point)
    shown = page.locator("#trajectory")
    expect(shown).to_contain_text("After epoch 8")
    expect(page.get_by_role("button", name="Show", exact=True)).to_be_hidden()
    page.locator("#scrubber").focus()
    page.keyboard.press("Home")
    expect(shown).to_contain_text("After epoch 1: no layers changed")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(shown).to_contain_text(re.compile(r"After epoch 3: \d+ layers changed in it, \d+ renewals"))
    assert shown.locator("rect.renewals").count() > 0
    assert page.url.endswith("?epoch=3")
    again = open_page(page.url.removeprefix(site.url), width=390, dark=True)
    expect(again.locator("#trajectory")).to_contain_text("After epoch 3")
    assert again.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_script_a_button_shows_the_epoch(open_page: Callable[..., Page], point: str) -> None:
    page = open_page(f"{point}?epoch=5", script=False)
    expect(page.locator("#trajectory")).to_contain_text("After epoch 5")
    page.get_by_role("button", name="Show", exact=True).click()
    assert page.url.endswith("?epoch=5")
