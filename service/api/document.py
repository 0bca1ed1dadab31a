"""The OpenAPI document: what FastAPI gathers from the routes, made exact where it cannot know.

It supposes an error body of its own for 422. Here every error is a problem, and a layer before the routes
answers some; a listing can also be CSV; and what has not changed is answered with 304.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.examples import illustrate
from service.problem import PROBLEM_MEDIA_TYPE, Problem

Operation = dict[str, Any]
CODES: Mapping[int, tuple[str, ...]] = {
    400: ("malformed_json", "malformed_address"),
    401: ("unauthenticated", "invalid_key", "key_expired", "key_revoked"),
    403: ("foreign_origin", "foreign_host", "missing_scope", "quota_exceeded"),
    404: ("not_found", "no_feasible_point", "checkpoint_gone"),
    409: ("idempotency_conflict", "webhook_disabled", "checkpoint_damaged", "upload_in_use"),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
    422: (
        "invalid_input",
        "unknown_name",
        "infeasible",
        "data_missing",
        "data_damaged",
        "forbidden_address",
        "upload_unusable",
    ),
    429: ("rate_limited", "too_many_failures", "quota_exceeded"),
    500: ("internal_error",),
    503: ("not_ready", "database_unavailable", "storage_unavailable"),
}
"""The stable codes of problems by their status."""
OPEN = ("/livez", "/readyz")
CONFLICTS = ("/test", "/export")
REMOVED = "/v1/uploads/{upload_id}"
FILES = {"/checkpoint": "application/octet-stream", "/export": "application/zip"}
_PREFIX = "#/components/schemas/"


def install(app: FastAPI) -> None:
    """Have the application give this document."""
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's own way to replace it


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _describe_problems(found["components"]["schemas"])
        for path, operations in found["paths"].items():
            for method, operation in operations.items():
                _complete(method, path, operation)
        illustrate(found)
        app.openapi_schema = found
    return app.openapi_schema


def _describe_problems(schemas: dict[str, Any]) -> None:
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=_PREFIX + "{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem


def _complete(method: str, path: str, operation: Operation) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status in sorted({*_statuses(path, operation)}):
        responses[str(status)] = _problem(status)
    success = next(iter(responses.values()))
    if path == "/v1/events":
        return
    if path.endswith("/events"):
        responses["204"] = {"description": "The job has ended, and its last event was seen."}
        return
    if kind := next((kind for end, kind in FILES.items() if path.endswith(end)), None):
        success["content"] = {kind: {"schema": {"type": "string", "format": "binary"}}}
        return
    if _has(operation, "format"):
        success["content"]["text/csv"] = {"schema": {"type": "string"}}
    if _has(operation, "validate_only"):
        responses["200"] = {**success, "description": "The plan, with `validate_only`."}
    if method == "get":
        responses["304"] = {"description": "What `If-None-Match` names has not changed."}


def _statuses(path: str, operation: Operation) -> Iterator[int]:
    """The statuses of problems that a call may be answered with."""
    yield from (400, 403, 500)  # a NUL in the address, foreign pages, a mistake of ours
    if path in {"/readyz", "/v1/uploads"} or path.endswith(tuple(FILES)):
        yield 503
    if path not in OPEN:
        yield from (401, 429)
    if "{" in path or _has(operation, "batch"):
        yield 404
    if "requestBody" in operation:
        yield from (413, 415, 422)
    if any(parameter["in"] in {"query", "header"} for parameter in operation.get("parameters", ())):
        yield 422
    if _has(operation, "idempotency-key") or path.endswith(CONFLICTS) or path == REMOVED:
        yield 409


def _has(operation: Operation, name: str) -> bool:
    return any(parameter["name"] == name for parameter in operation.get("parameters", ()))


def _problem(status: int) -> dict[str, Any]:
    codes = ", ".join(f"`{code}`" for code in CODES[status])
    return {
        "description": f"A problem (RFC 9457): {codes}.",
        "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": f"{_PREFIX}Problem"}}},
    }
