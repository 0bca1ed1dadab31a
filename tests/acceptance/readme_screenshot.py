"""Saves the picture of the README: the head, the verdict and the chart of a job page that a service shows.

python tests/acceptance/readme_screenshot.py http://127.0.0.1:8765/jobs/job-0123456789abcdef
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "front.png"
WIDTH = 1200


def main() -> None:
    """Read the command line and save the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="address of a job page")
    parser.add_argument("--to", type=Path, default=PICTURE)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    given = parser.parse_args()
    given.to.parent.mkdir(parents=True, exist_ok=True)
    take(given.url, given.to, dark=given.dark, chromium=given.chromium)


def take(url: str, to: Path, *, dark: bool, chromium: Path) -> None:
    """Save the picture of a job page, at twice the resolution."""
    arguments = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*arguments, "--no-first-run", *sandbox]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 900},
            color_scheme="dark" if dark else "light",
            device_scale_factor=2,
        )
        page.goto(url)
        page.wait_for_selector("#front-chart[data-points]")
        page.wait_for_timeout(800)  # the chart has drawn itself by then
        height = end_of_chart(page)
        page.screenshot(path=to, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        browser.close()


def end_of_chart(page: Page) -> float:
    """How far down the page the chart and its note reach, in pixels."""
    box = page.locator("#chart-note").bounding_box()
    assert box is not None
    return box["y"] + box["height"] + 8


if __name__ == "__main__":
    main()
