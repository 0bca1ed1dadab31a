"""A typed client of the REST API: what the command line, the demo and a user's scripts call."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from models.errors import BitfrontError, CheckpointDamagedError, InvalidInputError
from service.client_ablations import AblationCalls
from service.client_comparisons import ComparisonCalls
from service.credentials import key_from_environment
from service.problem import FieldError, Problem
from service.views import EventView, FrontView, JobView, NamedView, Page, PlanView, PointView, TrialView
from service.workspaces import WorkspaceUse

if TYPE_CHECKING:
    from search.job import JobSpec  # imports torch, which a client can do without

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


class BitfrontClient(AblationCalls, ComparisonCalls):
    """Calls one service; raises ApiError for its problems and UnreachableError when it does not answer.

    Its key is `key`, or that of the environment (`service.credentials`); no error and no repr shows it.
    """

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

    def __enter__(self) -> BitfrontClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, spec: Mapping[str, Any] | JobSpec, idempotency_key: str | None = None) -> JobView:
        """Submit a job. A key is made up when none is given: asking again after a lost answer is safe."""
        headers = {**JSON_BODY, "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return _parse(JobView, self._call("POST", "/v1/jobs", content=_body(spec), headers=headers))

    def validate(self, spec: Mapping[str, Any] | JobSpec) -> PlanView:
        """The plan of a job, without storing it."""
        params = {"validate_only": "true"}
        return _parse(
            PlanView, self._call("POST", "/v1/jobs", content=_body(spec), params=params, headers=JSON_BODY)
        )

    def job(self, job_id: str, wait: float = 0) -> JobView:
        """A job; with `wait`, once it has ended or after that many seconds (30 at most)."""
        return self._get(JobView, f"/v1/jobs/{job_id}", wait=wait or None)

    def jobs(self, *, limit: int = 50, cursor: str | None = None, state: str | None = None) -> Page[JobView]:
        """A page of jobs, newest first."""
        return self._get(Page[JobView], "/v1/jobs", limit=limit, cursor=cursor, state=state)

    def cancel(self, job_id: str) -> JobView:
        """Ask a job to end."""
        return _parse(JobView, self._call("POST", f"/v1/jobs/{job_id}/cancel"))

    def trials(
        self,
        job_id: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        state: str | None = None,
        method: str | None = None,
        seed: int | None = None,
    ) -> Page[TrialView]:
        """A page of the trials of a job."""
        path = f"/v1/jobs/{job_id}/trials"
        return self._get(
            Page[TrialView], path, limit=limit, cursor=cursor, state=state, method=method, seed=seed
        )

    def trial(self, trial_id: str) -> TrialView:
        """A trial with its learning curve and attempts."""
        return self._get(TrialView, f"/v1/trials/{trial_id}")

    def points(self, job_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[PointView]:
        """A page of the points of a job."""
        return self._get(Page[PointView], f"/v1/jobs/{job_id}/points", limit=limit, cursor=cursor)

    def point(self, point_id: str) -> PointView:
        """A point with everything that makes it reproducible."""
        return self._get(PointView, f"/v1/points/{point_id}")

    def front(
        self,
        job_id: str,
        *,
        metric: str | None = None,
        method: str | None = None,
        seed: int | None = None,
        all_points: bool = False,
    ) -> FrontView:
        """The front of a job by one cost (the budget's unless told), or all its points."""
        path = f"/v1/jobs/{job_id}/front"
        flag = "true" if all_points else None
        return self._get(FrontView, path, metric=metric, method=method, seed=seed, all_points=flag)

    def front_csv(self, job_id: str, *, metric: str | None = None, all_points: bool = False) -> str:
        """The same as CSV text."""
        params = _given(format="csv", metric=metric, all_points="true" if all_points else None)
        return self._call("GET", f"/v1/jobs/{job_id}/front", params=params).text

    def best(self, job_id: str, maximum: float, *, metric: str | None = None) -> PointView:
        """The best feasible point that costs at most `maximum`; ApiError no_feasible_point without one."""
        return self._get(PointView, f"/v1/jobs/{job_id}/best", metric=metric, max=maximum)

    def architectures(self) -> list[NamedView]:
        """The networks that a job may name."""
        return self._named("architectures")

    def datasets(self) -> list[NamedView]:
        """The data sets that a job may name."""
        return self._named("datasets")

    def methods(self) -> list[NamedView]:
        """The methods that a job may name."""
        return self._named("methods")

    def workspace(self) -> WorkspaceUse:
        """The workspace of the key, what the key may do, and the quotas with their use."""
        return self._get(WorkspaceUse, "/v1/workspace")

    def ready(self) -> dict[str, str]:
        """What the service says of itself. Raises ApiError not_ready with the reason."""
        return TypeAdapter(dict[str, str]).validate_json(self._once("GET", "/readyz", timeout=5).content)

    def events(self, job_id: str, after: int = 0) -> Iterator[EventView]:
        """Every event after the given id, until the job has ended; connects again when the stream breaks."""
        failures = 0
        while True:
            try:
                for event in self._stream(job_id, after):
                    failures, after = 0, event.id
                    yield event
            except _StreamOverError:
                return
            except httpx.TransportError as error:
                if failures == len(PAUSES):
                    raise self._unreachable(error) from error
                failures += 1
            self._sleep(PAUSES[max(failures - 1, 0)])

    def checkpoint(self, point_id: str, to: Path) -> Path:
        """Save the checkpoint of a point. Raises CheckpointDamagedError when it does not match its hash."""
        try:
            with self._http.stream("GET", f"/v1/points/{point_id}/checkpoint") as response:
                if response.is_error:
                    response.read()
                    raise _api_error(response)
                _save(response, to)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return to

    def _named(self, kind: str) -> list[NamedView]:
        return TypeAdapter(list[NamedView]).validate_json(self._call("GET", f"/v1/{kind}").content)

    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer:
        return _parse(kind, self._call("GET", path, params=_given(**params)))

    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer:
        return _parse(kind, response)

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
            raise _api_error(response)
        return response

    def _stream(self, job_id: str, after: int) -> Iterator[EventView]:
        headers = {"Last-Event-ID": str(after)}
        with self._http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as response:
            if response.is_error:
                response.read()
                raise _api_error(response)
            if response.status_code == 204:
                raise _StreamOverError
            for line in response.iter_lines():
                if line.startswith("data:"):  # the service sends each event as one line of data
                    yield EventView.model_validate_json(line.removeprefix("data:"))

    def _unreachable(self, error: httpx.TransportError) -> UnreachableError:
        return UnreachableError(
            f"no answer from {self.url} ({error}).", fix="Is it running? Start it with `bitfront serve`."
        )


class _StreamOverError(Exception):
    """The service says that no further event will come."""


def _body(spec: Mapping[str, Any] | JobSpec) -> bytes:
    if isinstance(spec, BaseModel):
        return spec.model_dump_json().encode()
    return json.dumps(spec).encode()  # NaN stays in, for the service to name its field


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _parse(kind: type[Answer], response: httpx.Response) -> Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        message = f"the answer of {response.url} is not a {kind.__name__}."
        raise UnreachableError(
            message, fix="Is another program, or another version, listening there?"
        ) from error


def _api_error(response: httpx.Response) -> ApiError:
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


def _save(response: httpx.Response, to: Path) -> None:
    """Write beside the target and rename: a broken transfer leaves nothing under its name."""
    digest = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in response.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != response.headers.get("x-checkpoint-sha256"):
            raise CheckpointDamagedError(
                "the checkpoint does not match its recorded hash.",
                fix="Train the point again with `bitfront rerun`.",
            )
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
