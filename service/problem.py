"""Errors as they cross HTTP: RFC 9457 problem details, which the API sends and the client reads."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.workspaces import QuotaUse

PROBLEM_MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field, and how to mend it.

    `pointer` is a JSON pointer into the body; it is empty when the error is about the whole body or
    about a `parameter` (a query parameter or a header, by name).
    """

    model_config = ConfigDict(frozen=True)

    pointer: str = ""
    detail: str
    fix: str = ""
    code: str
    parameter: str | None = None


class Problem(BaseModel):
    """A problem; `code` is stable, the sentences are not."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldError] = []
    quota: QuotaUse | None = None  # of `quota_exceeded`
