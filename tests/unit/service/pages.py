"""How the tests of pages read them."""

from __future__ import annotations

import re
from collections.abc import Callable

MakeJob = Callable[..., str]


def seeds(method: str, *accuracies: float) -> dict[tuple[str, int], float]:
    """Accuracies of a method by seed."""
    return {(method, seed): accuracy for seed, accuracy in enumerate(accuracies)}


def part(page: str, name: str) -> str:
    """The live part of a page with this id, to the next one."""
    begin = page.index(f'id="{name}" data-live')
    end = page.find("data-live", begin + len(name) + 20)
    return page[begin : end if end > 0 else None]


def plain(html: str) -> str:
    """The text of a page, without markup, with single ordinary spaces."""
    text = re.sub(r"<[^>]*>", " ", html).replace("&gt;", ">").replace("&lt;", "<")
    return re.sub(r"\s+", " ", text).strip()
