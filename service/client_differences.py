"""The call of the client about the difference of two points."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from service.difference.views import PointDifferenceView

Answer = TypeVar("Answer", bound=BaseModel)


class DifferenceCalls(Protocol):
    """What the client can ask about two points; it brings the call that is abstract here."""

    def difference(self, point_id: str, other_id: str) -> PointDifferenceView:
        """What changes from a point to another, the second less the first."""
        return self._get(PointDifferenceView, f"/v1/points/{point_id}/difference/{other_id}")

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...
