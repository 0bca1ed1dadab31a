"""The page of uploads in a real browser: a file is brought, refused, named in a job, and taken away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Forty images of two classes."""
    images = np.zeros((40, 1, 4, 4), dtype=np.float32)
    labels = np.arange(40) % 2
    path = tmp_path / "faces.npz"
    np.savez(path, x=images, y=labels)
    return path


def test_a_data_set_is_brought_named_and_taken_away(open_page: OpenPage, dataset: Path, keep: Keep) -> None:
    page = open_page("/uploads", width=390)
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.locator("input[type=file]").set_input_files(dataset)
    page.get_by_label("What you call it").fill("<b>mine</b>")
    page.get_by_role("button", name="Upload").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("<b>mine</b>")
    expect(row).to_contain_text("data set")
    upload = row.get_attribute("id") or ""
    assert page.url.endswith(f"/uploads#{upload}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "uploads-390")

    page.get_by_role("link", name=f"New job with {upload}").click()
    expect(page.locator('[name="/dataset/name"]')).to_have_value(upload)
    page.go_back()
    page.get_by_role("button", name=f"Forget {upload}").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_what_cannot_be_used_is_said_and_nothing_is_lost(
    open_page: OpenPage, tmp_path: Path, console: list[str]
) -> None:
    damaged, picture = tmp_path / "damaged.npz", tmp_path / "picture.png"
    damaged.write_bytes(b"PK\x03\x04 cut off")
    picture.write_bytes(b"\x89PNG")
    page = open_page("/uploads")
    page.get_by_label("What you call it").fill("faces")
    for file, words in ((picture, "neither .npz nor .safetensors"), (damaged, "cannot be read")):
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#said")).to_contain_text(words)
    expect(page.get_by_label("What you call it")).to_have_value("faces")
    assert len(console) == 1  # the browser notes the refused request
    console.clear()


def test_without_script_the_command_is_shown(open_page: OpenPage) -> None:
    page = open_page("/uploads", script=False)
    expect(page.locator("#upload")).to_be_hidden()
    expect(page.get_by_text("bitfront upload FILE")).to_be_visible()
