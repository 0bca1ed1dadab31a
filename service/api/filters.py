"""Choices of a method or a seed: one that the job does not have is a mistake, not an empty answer."""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InvalidInputError
from service.api.errors import InvalidFieldsError
from service.labels import label_of
from service.problem import FieldError
from service.views import JobView


def check_study(job: JobView, method: str | None, seed: int | None) -> None:
    """Raises InvalidFieldsError when the job runs no such method or seed."""
    _check_method(job, "method", method)
    if seed is not None and seed not in job.spec["seeds"]:
        raise _unknown("seed", "seed", seed, ", ".join(str(known) for known in job.spec["seeds"]))


def check_subject(job: JobView, subject: str | None) -> None:
    """Raises InvalidFieldsError when the job runs no such method to compare with the others."""
    _check_method(job, "subject", subject)


def chosen_labels(texts: Sequence[str]) -> list[tuple[str, str | None]]:
    """Labels to filter by, from the texts of a query. Raises InvalidFieldsError for what is none."""
    try:
        return [label_of(text) for text in texts]
    except InvalidInputError as error:
        wrong = FieldError(parameter="label", detail=error.message, fix=error.fix, code="invalid")
        raise InvalidFieldsError([wrong]) from None


def _check_method(job: JobView, parameter: str, method: str | None) -> None:
    methods = list(dict.fromkeys([*job.spec["methods"], "uniform"]))
    if method is not None and method not in methods:
        raise _unknown(parameter, "method", method, ", ".join(methods))


def _unknown(parameter: str, kind: str, value: str | int, known: str) -> InvalidFieldsError:
    detail = f"the job has no {kind} {value!r}."
    return InvalidFieldsError(
        [FieldError(parameter=parameter, detail=detail, fix=f"Use one of {known}.", code="unknown_value")]
    )
