"""A form checked as REST checks a body: the same JSON, the same checks, the same plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import BitfrontError
from search.job import JobSpec
from service.api.body import parse_as
from service.api.context import ApiContext
from service.api.errors import InvalidFieldsError
from service.api.jobs import planned
from service.api.problems import problem_of, status_of
from service.api.submission import JobSubmission
from service.job_form.form import Form, job_of
from service.problem import FieldError
from service.store.pace import Pace
from service.views import NamedView, PlanView

PATH = "/jobs/new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Time:
    """What a job may take: of so many earlier trials, the seconds for all samples of the job."""

    trials: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What came of a check: a plan, or what is wrong."""

    errors: tuple[FieldError, ...] = ()
    plan: PlanView | None = None
    studies: int = 0
    time: Time | None = None


def submission_of(form: Form) -> JobSubmission:
    """The job of a form. Raises as REST does for its JSON, and for other fields that are not YAML."""
    found = job_of(form)
    if found.errors:
        raise InvalidFieldsError(found.errors)
    return parse_as(JobSubmission, json.dumps(found.document).encode())


def checked(context: ApiContext, form: Form) -> Checked:
    """The plan of the job of a form, or its errors; nothing is stored."""
    try:
        submission = submission_of(form)
        plan = planned(context, submission)
    except BitfrontError as error:
        return Checked(errors=errors_of(error))
    spec = submission.job()
    studies = len(spec.all_methods()) * len(spec.seeds)
    return Checked(plan=plan, studies=studies, time=_time(context, spec, plan, studies))


def errors_of(error: BitfrontError) -> tuple[FieldError, ...]:
    """The field errors of a refusal, as the problem of REST has them; one without a field where it has none.

    Raises the error where nobody but the service is at fault.
    """
    if status_of(error) == 500:
        raise error
    whole = FieldError(detail=error.message, fix=error.fix, code=error.code)
    return tuple(problem_of(error, PATH).errors) or (whole,)


def _time(context: ApiContext, spec: JobSpec, plan: PlanView, studies: int) -> Time | None:
    """Of earlier trials of the same network on the same data and as many devices, told for this job."""
    defaults = _defaults(context.catalogue.architectures(), spec.architecture.name)
    wanted = _machine_and_work(spec.to_json(), defaults)
    with context.store.unit() as unit:
        pace: Pace | None = unit.pace.of(lambda other: _machine_and_work(other, defaults) == wanted)
    if pace is None:
        return None
    samples = studies * plan.samples_per_study
    at_once = min(spec.compute.concurrent_trials, plan.trials)
    return Time(trials=pace.trials, seconds=samples * pace.seconds_per_sample / at_once)


def _defaults(architectures: Any, name: str) -> Mapping[str, Any]:
    found: NamedView | None = next((one for one in architectures if one.name == name), None)
    settings: Mapping[str, Any] = found.details.get("settings", {}) if found else {}
    return {setting: details["default"] for setting, details in settings.items()}


def _machine_and_work(spec: Mapping[str, Any], defaults: Mapping[str, Any]) -> object:
    """What the time of a sample depends on most: network, data and devices."""
    data, compute = spec["dataset"], spec["compute"]
    return (
        {**defaults, **spec["architecture"]},
        spec.get("search_space", {}),
        *(data.get(name) for name in ("name", "frames", "size")),
        *(compute[name] for name in ("cpus_per_trial", "gpus_per_trial")),
    )
