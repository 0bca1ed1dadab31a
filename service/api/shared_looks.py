"""Readers of one job's events share their looks at them, so that the database serves few, however many read.

A look reads the events after an id. It serves every reader that has seen as much, for as long as it is young;
the first reader for whom it is no use looks again. Readers come back when the look they got is old, and so at
the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from service.views import EventView

BATCH = 200
"""The most events of a look."""

Read = Callable[[int], Awaitable[tuple[bool, Sequence[EventView]]]]
"""Whether the job has ended, and then its events after an id, at most BATCH."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What was there at a time of the loop's clock; `ended` was read before the events."""

    after: int
    at: float
    ended: bool
    events: Sequence[EventView]

    @property
    def full(self) -> bool:
        """Whether there may be more events."""
        return len(self.events) >= BATCH

    def serves(self, after: int) -> bool:
        """Whether it has all that there was for a reader who has seen the events up to an id."""
        return self.after <= after and not (self.full and self.events[-1].id <= after)


class SharedLook:
    """The last look at the events of one job."""

    def __init__(self, age: float) -> None:
        self.readers = 0
        self._age = age
        self._turn = asyncio.Lock()
        self._last: Look | None = None

    async def look(self, after: int, read: Read) -> Look:
        """One that serves a reader who has seen the events up to an id."""
        async with self._turn:
            last, now = self._last, asyncio.get_running_loop().time()
            if last is not None and now - last.at < self._age and last.serves(after):
                return last
            ended, events = await read(after)
            self._last = Look(after=after, at=now, ended=ended, events=events)
            return self._last


class SharedLooks:
    """The last look at each job that has readers; `age` is the seconds after which readers look again."""

    def __init__(self, age: float) -> None:
        self._age = age
        self._jobs: dict[tuple[int, str], SharedLook] = {}

    @contextmanager
    def reader(self, job_id: str) -> Iterator[SharedLook]:
        """The looks at a job that a reader shares with those of the same event loop."""
        key = (id(asyncio.get_running_loop()), job_id)
        shared = self._jobs.setdefault(key, SharedLook(self._age))
        shared.readers += 1
        try:
            yield shared
        finally:
            shared.readers -= 1
            if not shared.readers:
                del self._jobs[key]
