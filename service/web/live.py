"""What keeps a page up to date: the events that its script follows, and when the page was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import quote, urlencode

from service.views import EventKind
from service.web.formats import iso

OPEN_SECONDS = 600
"""For how long a page's stream stays open; the browser opens the next by itself."""
EVERY_SECONDS = 60
"""After which a page looks again without an event: what waits grows older."""

MOST_FOLLOWED = 100
"""Jobs that an address names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Follow:
    """Whose events a page follows; of the whole workspace where nothing is named.

    `epochs` where it shows more of a trial than how it ended; `ended` where nothing more can come.
    """

    jobs: Sequence[str] = ()
    batch: str | None = None
    label: str | None = None
    epochs: bool = False
    every: int = EVERY_SECONDS
    ended: bool = False

    def address(self, after: int) -> str:
        """Of the events after an id."""
        if len(self.jobs) == 1 and self.epochs:
            return f"/v1/jobs/{quote(self.jobs[0], safe='')}/events?after={after}"
        whose: list[tuple[str, object]] = [("job", job) for job in self.jobs]
        whose += [(name, value) for name, value in (("batch", self.batch), ("label", self.label)) if value]
        kinds = [("kind", kind) for kind in get_args(EventKind) if self.epochs or kind != "epoch"]
        return "/v1/events?" + urlencode([*whose, *kinds, ("wait", OPEN_SECONDS), ("after", after)])


def live_part(follow: Follow, newest: int) -> Mapping[str, Any]:
    """The `live` of a page that was read after the event `newest`, for `base.html` and the script."""
    now = datetime.now(UTC)
    return {
        "now": now,
        "setup": {
            "events": follow.address(newest),
            "every": follow.every,
            "read_at": iso(now),
            "ended": follow.ended,
        },
    }
