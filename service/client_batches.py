"""The calls of the client about batches of jobs."""

from __future__ import annotations

import json
import time
import uuid
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from service.ablations.views import ENDED_ABLATION_STATES
from service.batches.views import BatchView
from service.views import Page

Answer = TypeVar("Answer", bound=BaseModel)
BATCHES = "/v1/job-batches"
LONGEST_WAIT = 30.0
"""Seconds that the service holds an answer back at most."""


class BatchCalls(Protocol):
    """What the client can do with many jobs at once; it brings the calls that are abstract here."""

    def submit_batch(self, batch: Mapping[str, Any], idempotency_key: str | None = None) -> BatchView:
        """Submit a template and a grid, a list of jobs, or both; asking again after a lost answer is safe."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
        }
        body = json.dumps(dict(batch)).encode()
        return self._parsed(BatchView, self._call("POST", BATCHES, content=body, headers=headers))

    def batch(self, batch_id: str, wait: float = 0) -> BatchView:
        """A batch; with `wait`, once all its jobs have ended or after that many seconds (30 at most)."""
        return self._get(BatchView, f"{BATCHES}/{batch_id}", wait=wait or None)

    def batches(self, *, limit: int = 50, cursor: str | None = None) -> Page[BatchView]:
        """A page of batches, newest first, without their specs."""
        return self._get(Page[BatchView], BATCHES, limit=limit, cursor=cursor)

    def wait_batch(self, batch_id: str, timeout: float | None = None) -> BatchView:
        """A batch once all its jobs have ended, or as it is after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_WAIT if until is None else min(LONGEST_WAIT, max(until - time.monotonic(), 0))
            found = self.batch(batch_id, wait=left)
            if found.state in ENDED_ABLATION_STATES or (until is not None and time.monotonic() >= until):
                return found

    def batch_progress(self, batch_id: str, tick: float = 1.0) -> Iterator[BatchView]:
        """A batch about every `tick` seconds, and at last as it ended."""
        found = self.batch(batch_id)
        while found.state not in ENDED_ABLATION_STATES:
            yield found
            found = self.batch(batch_id, wait=tick)
        yield found

    def cancel_batch(self, batch_id: str) -> BatchView:
        """Ask every job of a batch to end."""
        return self._parsed(BatchView, self._call("POST", f"{BATCHES}/{batch_id}/cancel"))

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...
