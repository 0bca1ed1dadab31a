"""Answers every error as an RFC 9457 problem: which status, which code, which fields."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.errors import BitfrontError, DataDamagedError, DataMissingError, InvalidInputError, StorageError
from service.api.errors import HttpError, InvalidFieldsError
from service.api.schema import Schema
from service.api.validation import parameter_errors
from service.errors import (
    ConflictError,
    NotFoundError,
    QuotaExceededError,
    UploadInUseError,
    WebhookDisabledError,
)
from service.hooks.addresses import ForbiddenAddressError
from service.problem import PROBLEM_MEDIA_TYPE, FieldError, Problem

_STATUS: Mapping[type[BitfrontError], int] = {
    InvalidInputError: 422,
    DataMissingError: 422,
    DataDamagedError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    WebhookDisabledError: 409,
    UploadInUseError: 409,
    ForbiddenAddressError: 422,
    StorageError: 503,
}
RETRY_SECONDS = 3
"""After which it may be asked again for what a database, a disk or a bucket holds that is away."""
_CODES: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Answer every error that an endpoint raises as a problem."""
    app.add_exception_handler(BitfrontError, _bitfront_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _http_exception)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The response that carries a problem."""
    hidden = {"quota"} if problem.quota is None else set()
    text = problem.model_dump_json(exclude=hidden)
    return Response(text, problem.status, headers=dict(headers or {}), media_type=PROBLEM_MEDIA_TYPE)


def problem_of(error: BitfrontError, path: str) -> Problem:
    """The problem that describes an error; an error that is nobody's fault but ours shows no internals."""
    status = status_of(error)
    if status == 500:
        return internal_problem(path)
    found = make_problem(status, error.code, str(error), path, errors=_errors_of(error))
    return found.model_copy(update={"quota": error.use}) if isinstance(error, QuotaExceededError) else found


def internal_problem(path: str) -> Problem:
    """What a user sees of an error that nobody foresaw."""
    detail = "The service met an error that it did not expect; its log names it by the request's id."
    return make_problem(500, "internal_error", detail, path)


def make_problem(
    status: int, code: str, detail: str, path: str, errors: list[FieldError] | None = None
) -> Problem:
    """A problem with the title that belongs to its code."""
    return Problem(
        type=f"urn:bitfront:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        instance=path,
        code=code,
        errors=errors or [],
    )


def status_of(error: BitfrontError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, HttpError):
        return error.status
    if isinstance(error, QuotaExceededError):
        return 403 if error.retry_after is None else 429
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def _errors_of(error: BitfrontError) -> list[FieldError]:
    if isinstance(error, InvalidFieldsError):
        return error.errors
    if not error.pointer:
        return []
    return [FieldError(pointer=error.pointer, detail=error.message, fix=error.fix, code=error.code)]


async def _bitfront_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, BitfrontError) or status_of(error) == 500:
        raise error  # the outermost layer logs it and answers
    return problem_response(problem_of(error, request.url.path), headers_of(error))


def headers_of(error: BitfrontError) -> Mapping[str, str]:
    """The headers that go with an error, such as `Retry-After`."""
    if isinstance(error, QuotaExceededError) and error.retry_after is not None:
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, StorageError):
        return {"Retry-After": str(RETRY_SECONDS)}
    return error.headers if isinstance(error, HttpError) else {}


async def _invalid_parameters(request: Request, error: Exception) -> Response:
    details: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    placed = [{**entry, "loc": tuple(entry["loc"][1:])} for entry in details]
    refusal = InvalidFieldsError(parameter_errors(placed, _query_schema(request)))
    return problem_response(problem_of(refusal, request.url.path))


def _query_schema(request: Request) -> Schema:
    """The JSON schema of the one query model of the route, which may stand in a dependency."""
    waiting = [request.scope["route"].dependant]
    while waiting:
        dependant = waiting.pop()
        for parameter in dependant.query_params:
            describe = getattr(parameter.field_info.annotation, "model_json_schema", dict)
            schema: Schema = describe()
            return schema
        waiting.extend(dependant.dependencies)
    return {}


async def _http_exception(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    code = _CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    details = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }
    detail = details.get(status, HTTPStatus(status).phrase + ".")
    return problem_response(make_problem(status, code, detail, request.url.path), headers)
