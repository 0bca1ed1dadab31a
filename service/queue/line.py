"""In which order the jobs that wait will be claimed, if nothing is submitted and nothing ends meanwhile.

Per workspace w: r_w running jobs, c_w the order of its last claim, q_w waiting jobs. The next claim is that
of the w with q_w > 0 and the least (r_w, c_w, w); it makes r_w + 1, q_w - 1 and c_w the greatest of all. This
is the rule of `service.store.claims`, played forward.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One workspace in the queue."""

    workspace: str
    waiting: int
    running: int
    last_claimed_at: datetime | None


def places(shares: Iterable[Share], workspace: str, count: int) -> list[int]:
    """The places in line, from 1, of the first `count` waiting jobs of a workspace, or of all it has."""
    waiting = [share for share in shares if share.waiting > 0]
    waiting.sort(key=lambda share: (share.last_claimed_at or NEVER, share.workspace))
    turns = [(share.running, order, share.waiting, share.workspace) for order, share in enumerate(waiting)]
    heapq.heapify(turns)
    found: list[int] = []
    place, wanted = 0, min(count, sum(share.waiting for share in waiting if share.workspace == workspace))
    while len(found) < wanted:
        place += 1
        running, _, left, name = heapq.heappop(turns)
        if name == workspace:
            found.append(place)
        if left > 1:
            heapq.heappush(turns, (running + 1, len(waiting) + place, left - 1, name))
    return found
