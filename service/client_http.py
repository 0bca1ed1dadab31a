"""The HTTP of the client: one connection pool, tries again, and problems as exceptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from models.errors import BitfrontError, InvalidInputError
from service.credentials import key_from_environment
from service.problem import FieldError, Problem

Answer = TypeVar("Answer", bound=BaseModel)
PAUSES = (0.2, 0.5, 1.0)
"""Seconds between tries of a call that may be made twice."""
BUSY = frozenset({502, 503, 504})
LONGEST_PAUSE = 60.0


class ApiError(BitfrontError):
    """A problem that the service answered, with its stable `code`, `status` and the fields' `errors`.

    `retry_after` is in seconds, where the service said after how many to try again.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        errors: list[FieldError],
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.errors = errors
        self.retry_after = retry_after


class UnreachableError(BitfrontError):
    """No service answered."""

    code = "unreachable"


JSON_BODY = {"Content-Type": "application/json"}


class HttpCalls:
    """Calls one service; see `service.client.BitfrontClient`."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        # A proxy from the environment would be asked for a loopback address, hence trust_env=False.
        self._http = httpx.Client(
            base_url=self.url,
            timeout=60,
            transport=transport,
            trust_env=False,
            headers=_authorization(key or key_from_environment()),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer:
        return parse(kind, self._call("GET", path, params=given(**params)))

    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer:
        return parse(kind, response)

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Every call of this client may be made twice: a submission carries its key."""
        for pause in PAUSES:
            try:
                return self._once(method, path, **options)
            except UnreachableError:
                self._sleep(pause)
            except ApiError as error:
                if error.status not in BUSY and error.code != "rate_limited":
                    raise
                self._sleep(min(max(pause, error.retry_after or 0), LONGEST_PAUSE))
        return self._once(method, path, **options)

    def _once(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise api_error(response)
        return response

    def _unreachable(self, error: httpx.TransportError) -> UnreachableError:
        return UnreachableError(
            f"no answer from {self.url} ({error}).", fix="Is it running? Start it with `bitfront serve`."
        )


def given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def parse(kind: type[Answer], response: httpx.Response) -> Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        message = f"the answer of {response.url} is not a {kind.__name__}."
        raise UnreachableError(
            message, fix="Is another program, or another version, listening there?"
        ) from error


def api_error(response: httpx.Response) -> ApiError:
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        detail = f"the service answered {response.status_code} without a problem description."
        return ApiError(status=response.status_code, code="unexpected_answer", detail=detail, errors=[])
    later = response.headers.get("retry-after", "")
    return ApiError(
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        errors=problem.errors,
        retry_after=float(later) if later.isascii() and later.isdecimal() else None,
    )


def _authorization(key: str | None) -> dict[str, str]:
    """Raises InvalidInputError for a text that no header can carry, without showing it."""
    if key is None:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise InvalidInputError("the API key has characters that no key has.", fix="Copy it again, whole.")
    return {"Authorization": f"Bearer {key}"}
