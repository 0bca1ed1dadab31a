"""Long polls: an answer that is held back until something has ended or the time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.api.context import ApiContext

POLL_SECONDS = 0.5
Answer = TypeVar("Answer")


async def answer_once(
    context: ApiContext,
    request: Request,
    *,
    wait: float,
    read: Callable[[], Answer],
    ended: Callable[[Answer], bool],
) -> Answer:
    """What `read` gives once it has `ended`, after `wait` seconds, or when service or client leave."""
    until = time.monotonic() + wait
    while True:
        answer = await run_in_threadpool(read)
        left = until - time.monotonic()
        if left <= 0 or ended(answer) or context.stopping.is_set() or await request.is_disconnected():
            return answer
        await asyncio.sleep(min(POLL_SECONDS, left))
