"""The calls of the client about reruns of points."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from service.reruns.views import ENDED_RERUN_STATES, RerunView

Answer = TypeVar("Answer", bound=BaseModel)
LONGEST_WAIT = 30.0


class RerunCalls(Protocol):
    """What the client can do with reruns; it brings the calls that are abstract here."""

    def rerun(self, point_id: str) -> RerunView:
        """Ask the service to train a point again; while it does, asking again answers the same rerun."""
        return self._parsed(RerunView, self._call("POST", f"/v1/points/{point_id}/rerun"))

    def rerun_state(self, rerun_id: str, wait: float = 0) -> RerunView:
        """A rerun; with `wait`, once it has ended or after that many seconds (30 at most)."""
        return self._get(RerunView, f"/v1/reruns/{rerun_id}", wait=wait or None)

    def reruns(self, point_id: str) -> list[RerunView]:
        """The last 20 reruns of a point, newest first."""
        found = self._call("GET", f"/v1/points/{point_id}/reruns")
        return TypeAdapter(list[RerunView]).validate_json(found.content)

    def wait_rerun(self, rerun_id: str, timeout: float | None = None) -> RerunView:
        """A rerun once it has ended, or as it is after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_WAIT if until is None else min(LONGEST_WAIT, max(until - time.monotonic(), 0))
            found = self.rerun_state(rerun_id, wait=left)
            if found.state in ENDED_RERUN_STATES or (until is not None and time.monotonic() >= until):
                return found

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...
