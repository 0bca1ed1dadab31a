"""Uploads: record, look up, list and forget them; their files lie in the data folder."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from service.errors import NotFoundError, UploadInUseError
from service.store import cursors
from service.store.tables import Job, Upload
from service.store.transaction import Repository
from service.uploads.views import PREFIX, UploadKind, UploadView
from service.views import ENDED_JOB_STATES, Page

LISTING = "uploads"
ID_DIGITS = 16


class UploadRepository(Repository):
    """The uploads of a workspace."""

    def add(
        self, *, kind: UploadKind, name: str, sha256: str, size: int, facts: dict[str, Any]
    ) -> tuple[UploadView, bool]:
        """The upload of a content, and whether it is new; the same content again is the one that is there."""
        self._transaction.write()
        found = self._row(upload_id(sha256))
        if found is not None:
            return _view(found), False
        row = Upload(
            id=upload_id(sha256),
            kind=kind,
            name=name,
            sha256=sha256,
            bytes=size,
            facts=facts,
            created_at=self._transaction.now(),
        )
        self._session.add(row)
        self._session.flush()
        return _view(row), True

    def get(self, upload: str) -> UploadView:
        """An upload. Raises NotFoundError."""
        row = self._row(upload)
        if row is None:
            raise NotFoundError(f"there is no upload {upload[:80]!r}.")
        return _view(row)

    def page(self, *, limit: int, cursor: str | None) -> Page[UploadView]:
        """Uploads, newest first. Raises InvalidInputError for a bad cursor."""
        below = cursors.start(LISTING, cursor)
        query = select(Upload).where(Upload.seq < below).order_by(Upload.seq.desc())
        rows = self._session.scalars(query.limit(cursors.check_limit(limit) + 1)).all()
        shown, more = cursors.split(LISTING, [(row.seq, row) for row in rows], limit)
        return Page[UploadView](items=[_view(row) for row in shown], next_cursor=more)

    def ids(self) -> frozenset[str]:
        """Every id."""
        return frozenset(self._session.scalars(select(Upload.id)))

    def forget(self, upload: str) -> UploadView:
        """Take an upload away.

        Raises NotFoundError, or UploadInUseError while a job that has not ended names it.
        """
        self._transaction.write()
        view = self.get(upload)
        row = self._row(upload)
        going = select(Job.id, Job.spec).where(Job.state.not_in(ENDED_JOB_STATES))
        for job_id, spec in self._session.execute(going):
            if upload in names_in(spec):
                raise UploadInUseError(
                    f"the job {job_id} uses {upload}.", fix="Wait for its end, or cancel it."
                )
        self._session.delete(row)
        return view

    def _row(self, upload: str) -> Upload | None:
        return self._session.scalar(select(Upload).where(Upload.id == upload))


def upload_id(sha256: str) -> str:
    """The id of a content."""
    return f"{PREFIX}{sha256[:ID_DIGITS]}"


def names_in(spec: dict[str, Any]) -> set[str]:
    """The uploads that a job names."""
    named = (spec["dataset"]["name"], spec.get("training", {}).get("warm_start"))
    return {name for name in named if name is not None and name.startswith(PREFIX)}


def _view(row: Upload) -> UploadView:
    return UploadView.model_validate(row, from_attributes=True)
