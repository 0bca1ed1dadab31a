"""The calls of the client about comparisons, of methods and of two points."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from service.comparison.views import Accuracy, ComparisonView
from service.differences.views import PointDifferenceView

Answer = TypeVar("Answer", bound=BaseModel)


class ComparisonCalls(Protocol):
    """What the client can ask about the methods of a job; it brings the calls that are abstract here."""

    def comparison(
        self, job_id: str, *, subject: str | None = None, accuracy: Accuracy = "test"
    ) -> ComparisonView:
        """One method of a job (`gradient` if it has it) against the others, at equal compute, over seeds."""
        return self._get(ComparisonView, _path(job_id), subject=subject, accuracy=accuracy)

    def comparison_csv(self, job_id: str, *, accuracy: Accuracy = "test") -> str:
        """What each seed of each method has, as CSV text: the same whoever is compared."""
        params = {"format": "csv", "accuracy": accuracy}
        return self._call("GET", _path(job_id), params=params).text

    def difference(self, point_id: str, other_id: str) -> PointDifferenceView:
        """Two points layer by layer, of one job or of two; every difference is the other minus the first."""
        return self._get(PointDifferenceView, f"/v1/points/{point_id}/difference/{other_id}")

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...


def _path(job_id: str) -> str:
    return f"/v1/jobs/{job_id}/comparison"
