"""The figures of a job in a real browser: charts, numbers, and the files that are saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_every_figure_is_drawn(
    open_page: OpenPage, finished: Any, keep: Keep, width: int, dark: bool
) -> None:
    page = open_page(finished.path + "/figures", width=width, dark=dark)
    for key, series in (("validation-accuracy", 5), ("test-accuracy", 5), ("weight-bits-over-epochs", 3)):
        expect(page.locator(f'[data-figure="{key}"]')).to_have_attribute("data-series", str(series))
        expect(page.locator(f'[data-figure="{key}"] canvas')).to_be_visible()
    expect(page.locator("[data-drawing]")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"figures-{width}-{'dark' if dark else 'light'}")


def test_the_job_page_leads_there_and_numbers_open(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path)
    page.get_by_role("link", name="Figures of this job").click()
    page.locator("summary").first.click()
    expect(page.locator("#numbers-validation-accuracy tbody tr")).to_have_count(3)


def test_what_the_server_draws_is_saved_as_it_looks_by_day(
    open_page: OpenPage, finished: Any, tmp_path: Path
) -> None:
    point = open_page(finished.path).locator("#front-table tbody a").first.get_attribute("href")
    for path, keys in (
        (point, [f"layers-{str(point).rpartition('/')[2]}"]),
        (finished.path + "/comparison", ["differences", "accuracies"]),
    ):
        page = open_page(path, dark=True)
        ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')")
        for key in keys:
            saved = {kind: save(page, tmp_path, key, kind) for kind in ("svg", "png")}
            text = saved["svg"].read_text()
            assert 'fill="#ffffff"' in text
            assert "rgb(26, 32, 39)" in text  # the ink of the light theme
            assert "var(" not in text
            assert saved["png"].read_bytes().startswith(b"\x89PNG")
        assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')") == ground
        assert page.locator("[data-drawing][style*='--ink']").count() == 0


def test_the_front_of_a_job_is_saved(open_page: OpenPage, finished: Any, tmp_path: Path) -> None:
    page = open_page(finished.path)
    with page.expect_download() as download:
        page.locator('[data-draw="svg"]').click()
    download.value.save_as(tmp_path / "front.svg")
    assert "gradient" in (tmp_path / "front.svg").read_text()


@pytest.mark.parametrize("key", ["validation-accuracy", "layers-at-4"])
def test_files_are_saved_as_svg_and_png(open_page: OpenPage, finished: Any, tmp_path: Path, key: str) -> None:
    page = open_page(finished.path + "/figures", dark=True)
    saved = {kind: save(page, tmp_path, key, kind) for kind in ("svg", "png")}
    texts = [text for text in ET.parse(saved["svg"]).getroot().itertext() if text.strip()]  # noqa: S314 - our own
    assert any("gradient" in text or "stage1" in text for text in texts)
    assert saved["png"].read_bytes().startswith(b"\x89PNG")
    assert saved["png"].stat().st_size > 10_000


def test_without_script_the_numbers_are_there(open_page: OpenPage, finished: Any) -> None:
    page = open_page(finished.path + "/figures", script=False)
    page.locator("summary").first.click()
    expect(page.locator("#numbers-validation-accuracy tbody tr")).to_have_count(3)
    expect(page.get_by_role("link", name="CSV").first).to_be_visible()
    expect(page.locator("svg.layers").first).to_be_visible()


def save(page: Page, folder: Path, key: str, kind: str) -> Path:
    """Press a figure's button and keep the file."""
    with page.expect_download() as download:
        page.locator(f':is([data-save="{kind}"], [data-save-drawing="{kind}"])[data-of="{key}"]').click()
    path = folder / f"{key}.{kind}"
    download.value.save_as(path)
    assert download.value.suggested_filename == path.name
    return path
