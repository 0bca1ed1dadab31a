"""The calls of the client about events, which connect again where a stream breaks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from service.client_http import BUSY, PAUSES, ApiError, HttpCalls, api_error, given
from service.views import EventKind, EventView

OPEN_SECONDS = 3600.0


class EventCalls(HttpCalls):
    """What the client hears of jobs as it happens."""

    def events(self, job_id: str, after: int = 0) -> Iterator[EventView]:
        """Every event after the given id, until the job has ended."""
        failures = 0
        while True:
            try:
                for event in self._stream(f"/v1/jobs/{job_id}/events", after):
                    failures, after = 0, event.id
                    yield event
            except _StreamOverError:
                return
            except (httpx.TransportError, ApiError) as error:
                failures = self._bear(error, failures)
            self._sleep(PAUSES[max(failures - 1, 0)])

    def all_events(
        self,
        *,
        jobs: Sequence[str] = (),
        batch: str | None = None,
        labels: Sequence[str] = (),
        kinds: Sequence[EventKind] = (),
        after: int | None = None,
        seconds: float = math.inf,
    ) -> Iterator[EventView]:
        """The events of every job, or of some, for some seconds: from now on, or after an id.

        An event may come twice where the stream breaks; its id tells. A label is `key:value` or `key`.
        """
        whose = given(job=list(jobs), batch=batch, label=list(labels), kind=list(kinds))
        end, failures, last = time.monotonic() + seconds, 0, after
        while True:
            left = max(end - time.monotonic(), 0.0)
            try:
                query = {**whose, **given(after=last), "wait": min(left, OPEN_SECONDS)}
                for event in self._stream("/v1/events", None, query):
                    failures, last = 0, event.id
                    yield event
                if time.monotonic() >= end:
                    return
            except (httpx.TransportError, ApiError) as error:
                failures = self._bear(error, failures)
            self._sleep(PAUSES[max(failures - 1, 0)])

    def _bear(self, error: httpx.TransportError | ApiError, failures: int) -> int:
        """How many times in a row the service did not answer; raises the error once that is too often."""
        if isinstance(error, ApiError):
            if error.status not in BUSY:
                raise error
            self._sleep(error.retry_after or 0)  # it lives and says that it will be back
            return failures
        if failures == len(PAUSES):
            raise self._unreachable(error) from error
        return failures + 1

    def _stream(
        self, path: str, after: int | None, query: Mapping[str, Any] | None = None
    ) -> Iterator[EventView]:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        with self._http.stream("GET", path, headers=headers, params=query) as response:
            if response.is_error:
                response.read()
                raise api_error(response)
            if response.status_code == 204:
                raise _StreamOverError
            for line in response.iter_lines():
                if line.startswith("data:"):  # the service sends each event as one line of data
                    yield EventView.model_validate_json(line.removeprefix("data:"))


class _StreamOverError(Exception):
    """The service says that no further event will come."""
