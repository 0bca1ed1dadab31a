"""Turns templates and contexts into HTML answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from service.web.formats import FILTERS

FOLDER = Path(__file__).parent
STATIC_FILES = ("style.css", "favicon.svg", "charts.js", "tables.js", "new_job.js", "uploads.js")


class Renderer:
    """The templates, with autoescape on: whatever a user wrote reaches a page as text."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(FILTERS)
        self._templates.globals["assets"] = assets(FOLDER / "static")

    def page(self, template: str, context: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
        """A page, which browsers ask for anew each time: it shows a search that may be running."""
        html = self._templates.get_template(template).render(context)
        return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-cache"})


def assets(folder: Path) -> dict[str, str]:
    """The address of each static file that is there, with its hash, so that no cache shows an older one."""
    found = {name: folder / name for name in STATIC_FILES}
    return {name: f"/static/{name}?v={_digest(path)}" for name, path in found.items() if path.is_file()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
