"""A real service over a SQLite store with realistic results, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from service.app import create_app
from service.settings import Settings
from service.store import Store
from tests.acceptance.stage import Search, Site

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
PATIENCE = 60_000  # ms; what is shown at once otherwise may take long on a busy machine
SCREENSHOTS = "BITFRONT_SCREENSHOTS"
"""The environment variable that names a folder to keep the screenshots in."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service on a free port, in a thread of this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, database_url=None, data_folder=None, port=listener.getsockname()[1])
    store = Store.open(settings.database)
    store.migrate()
    app = create_app(settings, store)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(url=settings.url, store=store)
    app.state.context.stopping.set()
    server.should_exit = True
    thread.join(timeout=20)
    store.close()
    listener.close()


@pytest.fixture(scope="module")
def finished(site: Site) -> Search:
    """A search that is through; no test changes it."""
    search = site.search("fashion-resnet")
    search.fill()
    search.end()
    return search


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, headless; skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; install Debian's package `chromium`")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *root])
        yield browser
        browser.close()


OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


@pytest.fixture
def console() -> list[str]:
    """What pages wrote to their consoles as errors."""
    return []


@pytest.fixture
def open_page(browser: Browser, site: Site, console: list[str]) -> Iterator[OpenPage]:
    """Opens a page of the service; the test fails if anything is left in `console` at its end."""

    def collect(message: ConsoleMessage) -> None:
        if message.type == "error":
            console.append(message.text)

    def open_at(path: str, *, width: int = 1200, dark: bool = False, script: bool = True) -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        page.set_default_timeout(PATIENCE)
        page.on("console", collect)
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(site.url + path)
        return page

    yield open_at
    for context in browser.contexts:
        context.close()
    assert console == []


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Keeps a screenshot of a whole page."""
    folder = Path(os.environ.get(SCREENSHOTS, tmp_path / "screenshots"))

    def save(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    return save
