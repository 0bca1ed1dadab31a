"""The call of the client about exports."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import Any, Protocol

import httpx

from models.errors import ExportDamagedError
from service.views import ExportFormat

EXPORT_SECONDS = 600


class ExportCalls(Protocol):
    """What the client can do with exports; it brings the call that is abstract here."""

    def export(self, point_id: str, form: ExportFormat = "integers") -> bytes:
        """The archive of a point in a format. Raises ExportDamagedError where it arrived damaged."""
        path = f"/v1/points/{point_id}/export"
        response = self._call("GET", path, params={"format": form}, timeout=EXPORT_SECONDS)
        if hashlib.sha256(response.content).hexdigest() != response.headers.get("x-export-sha256"):
            raise ExportDamagedError("the export arrived damaged.", fix="Ask for it again.")
        return response.content

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...
