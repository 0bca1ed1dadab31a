"""The calls of the client about the queue."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from service.queue.views import QueueView
from service.views import IncidentView, JobView, Page

Answer = TypeVar("Answer", bound=BaseModel)


class QueueCalls(Protocol):
    """What the client can say and ask of the queue; it brings the calls that are abstract here."""

    def queue(self) -> QueueView:
        """Jobs that wait, in the order of their claims, jobs that run, and the dispatchers."""
        return self._get(QueueView, "/v1/queue")

    def set_priority(self, job_id: str, priority: int) -> JobView:
        """Move a job forward (a greater number, up to 9) or back (down to -9) in its workspace's queue."""
        path = f"/v1/jobs/{job_id}/priority"
        return self._parsed(JobView, self._call("PUT", path, json={"priority": priority}))

    def incidents(self, job_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[IncidentView]:
        """Leases of a job that ran out and results that came too late, newest first."""
        return self._get(Page[IncidentView], f"/v1/jobs/{job_id}/incidents", limit=limit, cursor=cursor)

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...
