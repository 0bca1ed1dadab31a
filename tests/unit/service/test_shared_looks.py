"""Readers share looks: each gets every event once, in order, and the database is asked once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from service.api import shared_looks
from service.api.shared_looks import SharedLooks
from service.views import EventView

AGE = 0.05


def event(number: int) -> EventView:
    return EventView(id=number, job_id="job", kind="epoch", data={}, created_at=datetime.now(UTC))


def run(scene: Coroutine[Any, Any, list[list[int]]]) -> list[list[int]]:
    """In a thread of its own: a browser that earlier tests drive has a loop in the main one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, scene).result(timeout=60)


class Events:
    """Events that were told so far, and how often they were read."""

    def __init__(self, count: int = 0) -> None:
        self.told = [event(number + 1) for number in range(count)]
        self.ended = False
        self.reads = 0

    async def read(self, after: int) -> tuple[bool, Sequence[EventView]]:
        self.reads += 1
        ended = self.ended
        await asyncio.sleep(0)
        return ended, [one for one in self.told if one.id > after][: shared_looks.BATCH]


async def reading(looks: SharedLooks, events: Events, after: int = 0) -> list[int]:
    """What a reader sees until the job has ended."""
    seen: list[int] = []
    with looks.reader("job") as shared:
        while True:
            look = await shared.look(after, events.read)
            for one in look.events:
                if one.id > after:
                    seen.append(one.id)
                    after = one.id
            if look.full:
                continue
            if look.ended:
                return seen
            await asyncio.sleep(look.at + AGE - asyncio.get_running_loop().time())


async def told(events: Events, count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(AGE)
        events.told.append(event(len(events.told) + 1))
    events.ended = True


def test_many_readers_cost_what_one_does() -> None:
    async def scene() -> list[list[int]]:
        *seen, _ = await asyncio.gather(
            *(reading(looks, events, after % 3) for after in range(60)), told(events, 6)
        )
        return seen

    events, looks = Events(3), SharedLooks(AGE)
    seen = run(scene())
    assert [one[-1] for one in seen] == [9] * 60
    assert seen[:3] == [list(range(1, 10)), list(range(2, 10)), list(range(3, 10))]
    assert events.reads < 60  # each reader alone would have read about eight times
    assert looks._jobs == {}


def test_more_events_than_a_look_has(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> list[list[int]]:
        return await asyncio.gather(*(reading(looks, events, after) for after in (0, 0, 4, 7, 10)))

    monkeypatch.setattr(shared_looks, "BATCH", 4)
    events, looks = Events(10), SharedLooks(AGE)
    events.ended = True
    assert run(scene()) == [list(range(after + 1, 11)) for after in (0, 0, 4, 7, 10)]


def test_a_reader_that_is_behind_gets_all() -> None:
    async def scene() -> list[list[int]]:
        with looks.reader("job") as shared:
            return [[one.id for one in (await shared.look(after, events.read)).events] for after in (4, 2, 4)]

    events, looks = Events(5), SharedLooks(3600)
    assert run(scene()) == [[5], [3, 4, 5], [3, 4, 5]]  # the last reader skips what it has seen
    assert events.reads == 2
