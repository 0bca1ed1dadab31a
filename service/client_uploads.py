"""The calls of the client about files that its user brings."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from service.uploads.views import UploadKind, UploadView
from service.views import Page

Answer = TypeVar("Answer", bound=BaseModel)


class UploadCalls(Protocol):
    """What the client can do with uploads; it brings the calls that are abstract here."""

    def upload(self, file: Path, kind: UploadKind, *, name: str | None = None) -> UploadView:
        """Bring a file; the same content again is the upload that is there."""
        with file.open("rb") as content:
            response = self._call(
                "POST",
                "/v1/uploads",
                params={"kind": kind, "name": file.name if name is None else name},
                content=content,
                headers={"Content-Type": "application/octet-stream"},
            )
        return self._parsed(UploadView, response)

    def uploads(self, *, limit: int = 50, cursor: str | None = None) -> Page[UploadView]:
        """A page of uploads, newest first."""
        return self._get(Page[UploadView], "/v1/uploads", limit=limit, cursor=cursor)

    def forget_upload(self, upload_id: str) -> None:
        """Take an upload away, unless a job that has not ended names it."""
        self._call("DELETE", f"/v1/uploads/{upload_id}")

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...
