"""The call of the client about limits that a point keeps together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from service.fit.views import FitView

Answer = TypeVar("Answer", bound=BaseModel)


class FitCalls(Protocol):
    """What the client can ask about limits; it brings the call that is abstract here."""

    def fit(self, job_id: str, maxima: Mapping[str, float]) -> FitView:
        """The best point of a job that keeps every limit, {metric: greatest cost}, or the nearest one."""
        return self._get(FitView, f"/v1/jobs/{job_id}/fit", **maxima)

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...
