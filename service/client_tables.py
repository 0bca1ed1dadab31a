"""The calls of the client about tables as CSV, and about fronts over one another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from service.front_views import OverlayView

Answer = TypeVar("Answer", bound=BaseModel)


class TableCalls(Protocol):
    """What the client can read whole; it brings the calls that are abstract here."""

    def fronts(
        self,
        job_ids: Sequence[str] = (),
        *,
        batch: str | None = None,
        metric: str | None = None,
        method: str | None = None,
        all_points: bool = False,
    ) -> OverlayView:
        """The fronts of some jobs, or of those of a batch, and the front over all of them."""
        params = _overlay(job_ids, batch, metric, method, all_points=all_points)
        return self._get(OverlayView, "/v1/fronts", **params)

    def fronts_csv(
        self,
        job_ids: Sequence[str] = (),
        *,
        batch: str | None = None,
        metric: str | None = None,
        method: str | None = None,
        all_points: bool = False,
    ) -> str:
        """The same as CSV text."""
        params = _overlay(job_ids, batch, metric, method, all_points=all_points)
        return self._csv("/v1/fronts", **params)

    def jobs_csv(
        self, *, state: str | None = None, batch: str | None = None, labels: Sequence[str] = ()
    ) -> str:
        """Every job that is chosen as in `jobs`, as CSV text."""
        return self._csv("/v1/jobs", state=state, batch=batch, label=list(labels) or None)

    def table_csv(self, job_id: str, table: str) -> str:
        """The `trials`, `points`, `attempts` or `studies` of a job as CSV text, every row."""
        return self._csv(f"/v1/jobs/{job_id}/{table}")

    def epochs_csv(self, trial_id: str) -> str:
        """The learning curve of a trial as CSV text."""
        return self._csv(f"/v1/trials/{trial_id}/epochs")

    def point_layers_csv(self, point_id: str) -> str:
        """Each layer of a point, with its bits, costs and shares, as CSV text."""
        return self._csv(f"/v1/points/{point_id}/layers")

    def _csv(self, path: str, **params: Any) -> str:
        given = {name: value for name, value in params.items() if value is not None}
        return self._call("GET", path, params={**given, "format": "csv"}).text

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...


def _overlay(
    job_ids: Sequence[str], batch: str | None, metric: str | None, method: str | None, *, all_points: bool
) -> dict[str, Any]:
    chosen = {"job": list(job_ids) or None, "batch": batch, "metric": metric, "method": method}
    return {**chosen, "all_points": "true" if all_points else None}
