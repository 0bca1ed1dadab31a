"""A typed client of the REST API: what the command line, the demo and a user's scripts call."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import BaseModel, TypeAdapter

from models.errors import BitfrontError, CheckpointDamagedError
from service.client_ablations import AblationCalls
from service.client_admin import AdminCalls
from service.client_batches import BatchCalls
from service.client_comparisons import ComparisonCalls
from service.client_events import EventCalls
from service.client_exports import ExportCalls
from service.client_fits import FitCalls
from service.client_http import (
    JSON_BODY,
    ApiError,
    UnreachableError,
    api_error,
    given,
    parse,
)
from service.client_queue import QueueCalls
from service.client_reruns import RerunCalls
from service.client_tables import TableCalls
from service.client_uploads import UploadCalls
from service.front_views import FrontView
from service.trajectory.views import TrajectoryView
from service.views import JobView, NamedView, Page, PlanView, PointView, TrialView
from service.worker_log import WorkerLineView
from service.workspaces import WorkspaceUse

__all__ = ["ApiError", "BitfrontClient", "UnreachableError"]

if TYPE_CHECKING:
    from search.job import JobSpec  # imports torch, which a client can do without


class BitfrontClient(
    EventCalls,
    AblationCalls,
    AdminCalls,
    BatchCalls,
    ComparisonCalls,
    ExportCalls,
    FitCalls,
    QueueCalls,
    RerunCalls,
    UploadCalls,
    TableCalls,
):
    """Calls one service; raises ApiError for its problems and UnreachableError when it does not answer.

    Its key is `key`, or that of the environment (`service.credentials`); no error and no repr shows it.
    """

    def submit(self, spec: Mapping[str, Any] | JobSpec, idempotency_key: str | None = None) -> JobView:
        """Submit a job. A key is made up when none is given: asking again after a lost answer is safe."""
        headers = {**JSON_BODY, "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return parse(JobView, self._call("POST", "/v1/jobs", content=_body(spec), headers=headers))

    def validate(self, spec: Mapping[str, Any] | JobSpec) -> PlanView:
        """The plan of a job, without storing it."""
        params = {"validate_only": "true"}
        return parse(
            PlanView, self._call("POST", "/v1/jobs", content=_body(spec), params=params, headers=JSON_BODY)
        )

    def job(self, job_id: str, wait: float = 0) -> JobView:
        """A job; with `wait`, once it has ended or after that many seconds (30 at most)."""
        return self._get(JobView, f"/v1/jobs/{job_id}", wait=wait or None)

    def jobs(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        state: str | None = None,
        batch: str | None = None,
        labels: Sequence[str] = (),
    ) -> Page[JobView]:
        """A page of jobs, newest first; of a batch, or with all of some labels (`key:value` or `key`)."""
        path, label = "/v1/jobs", list(labels) or None
        return self._get(
            Page[JobView], path, limit=limit, cursor=cursor, state=state, batch=batch, label=label
        )

    def cancel(self, job_id: str) -> JobView:
        """Ask a job to end."""
        return parse(JobView, self._call("POST", f"/v1/jobs/{job_id}/cancel"))

    def label(self, job_id: str, changes: Mapping[str, str | None]) -> JobView:
        """Change labels of a job: new values by key; None takes one away."""
        content = json.dumps(dict(changes)).encode()
        path = f"/v1/jobs/{job_id}/labels"
        return parse(JobView, self._call("PATCH", path, content=content, headers=JSON_BODY))

    def clone(
        self, job_id: str, patch: Mapping[str, Any] | None = None, idempotency_key: str | None = None
    ) -> JobView:
        """Submit a job anew with a merge patch (RFC 7396) of its fields; as safe to ask again as `submit`."""
        headers = {**JSON_BODY, "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        content = json.dumps(dict(patch or {})).encode()
        path = f"/v1/jobs/{job_id}/clone"
        return parse(JobView, self._call("POST", path, content=content, headers=headers))

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

    def trajectory(self, trial_id: str) -> list[TrajectoryView]:
        """The bits of each layer after each epoch of a trial that may change them."""
        content = self._call("GET", f"/v1/trials/{trial_id}/trajectory").content
        return TypeAdapter(list[TrajectoryView]).validate_json(content)

    def trial_log(self, trial_id: str) -> list[WorkerLineView]:
        """What workers on the machine of the service wrote down about a trial, oldest first."""
        content = self._call("GET", f"/v1/trials/{trial_id}/log").content
        return TypeAdapter(list[WorkerLineView]).validate_json(content)

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
        params = given(format="csv", metric=metric, all_points="true" if all_points else None)
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

    def checkpoint(self, point_id: str, to: Path) -> Path:
        """Save the checkpoint of a point. Raises CheckpointDamagedError when it does not match its hash."""
        try:
            with self._http.stream("GET", f"/v1/points/{point_id}/checkpoint") as response:
                if response.is_error:
                    response.read()
                    raise _checkpoint_error(api_error(response))
                _save(response, to)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return to

    def _named(self, kind: str) -> list[NamedView]:
        return TypeAdapter(list[NamedView]).validate_json(self._call("GET", f"/v1/{kind}").content)


def _body(spec: Mapping[str, Any] | JobSpec) -> bytes:
    if isinstance(spec, BaseModel):
        return spec.model_dump_json().encode()
    return json.dumps(spec).encode()  # NaN stays in, for the service to name its field


def _checkpoint_error(error: ApiError) -> BitfrontError:
    """The service looks at the hash too, before it sends anything."""
    return CheckpointDamagedError(str(error)) if error.code == CheckpointDamagedError.code else error


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
