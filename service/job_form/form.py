"""Form <-> job.

A form is the texts of its inputs by name. With F the fields of the form and J a job as JSON,

    J = place every field of F that says something, and merge the other fields (YAML) in;
    F = show every field of J that inputs can say; what is left of J is the other fields.

So form_of followed by job_of gives the same job, whatever fields it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import InvalidInputError
from service.api.schema import Place
from service.api.submission import JobSubmission
from service.api.validation import pointer_of
from service.job_form.fields import CONSTRAINTS, METHODS, OTHER, SETTINGS, FormField, all_fields
from service.job_form.texts import ABSENT, read, show
from service.problem import FieldError
from service.yaml_text import read_fields, yaml_text

Form = Mapping[str, Sequence[str]]
"""The texts of the inputs, by name."""
ALWAYS = ("architecture", "dataset", "budget")
"""Objects without which a job is none: of what is missing, the field is named rather than the object."""
_SETTING = pointer_of(SETTINGS) + "/"


@dataclass(frozen=True, kw_only=True, slots=True)
class FormJob:
    """The job that a form says, and what of the form cannot be read."""

    document: dict[str, Any]
    errors: tuple[FieldError, ...] = ()


def job_of(form: Form) -> FormJob:
    """The JSON of the job; nothing of it is checked here."""
    document: dict[str, Any] = {}
    for field in _fields_of(form):
        value = read(field.kind, form.get(field.name, ()), ends=_ends(field))
        if value is not ABSENT:
            _put(document, field.place, value)
        if field.place[0] in ALWAYS:
            document.setdefault(str(field.place[0]), {})
    rows = [row for row in _rows(form) if row]
    if rows:
        document["constraints"] = rows
    try:
        merged = _merged(document, read_fields("\n".join(form.get(OTHER, ()))), ())
    except InvalidInputError as error:
        mistake = FieldError(pointer=OTHER, detail=error.message, fix=error.fix, code="invalid")
        return FormJob(document=document, errors=(mistake,))
    return FormJob(document=merged)


def form_of(job: Mapping[str, Any]) -> dict[str, list[str]]:
    """The form of a job, as a user may write it."""
    rest = {"methods": list(METHODS.default), **job}
    form: dict[str, list[str]] = {}
    for field in (*all_fields(), *_settings_of(rest)):
        texts = show(field.kind, value) if (value := _at(rest, field.place)) is not ABSENT else None
        if texts is not None:
            form[field.name] = texts
            rest = _without(rest, field.place)
    rows = _shown_rows(rest.get("constraints"))
    if rows:
        form |= rows
        rest = _without(rest, CONSTRAINTS.place)
    return {**form, OTHER: [yaml_text(rest)]} if rest else form


def told(submission: JobSubmission) -> dict[str, Any]:
    """A job without what it has by default; methods and seeds, which a form always shows, are kept."""
    said: dict[str, Any] = submission.model_dump(mode="json", exclude_defaults=True)
    whole = submission.model_dump(mode="json", include={"methods", "seeds"})
    names = JobSubmission.model_fields
    return {name: (said | whole)[name] for name in names if name in said or name in whole}


def stored(spec: Mapping[str, Any], labels: Mapping[str, str], priority: int) -> dict[str, Any]:
    """A stored job as a user would write it."""
    whole = {**spec, "labels": dict(labels), "priority": priority}
    return told(JobSubmission.model_validate(whole))


def without_empty_rows(form: Form) -> dict[str, list[str]]:
    """The form with its constraints moved up, so that their numbers are those of the job."""
    rows = [index for index, row in enumerate(_rows(form)) if row]
    names = [column.name for column in CONSTRAINTS.columns]
    kept = {name: [_text(form, name, index) for index in rows] for name in names}
    return {**{name: list(texts) for name, texts in form.items()}, **kept}


def setting_names(form: Form) -> list[str]:
    """The settings of the architecture that the form says something of."""
    given = (name for name, texts in form.items() if name.startswith(_SETTING) and any(map(str.strip, texts)))
    names = (name.removeprefix(_SETTING).replace("~1", "/").replace("~0", "~") for name in given)
    return [name for name in names if name != "name"]


def _fields_of(form: Form) -> Iterator[FormField]:
    yield from all_fields()
    for name in setting_names(form):
        yield FormField(place=(*SETTINGS, name), label=name, kind="setting")


def _settings_of(job: Mapping[str, Any]) -> Iterator[FormField]:
    architecture = job.get("architecture")
    for name in architecture if isinstance(architecture, Mapping) else ():
        if name != "name":
            yield FormField(place=(*SETTINGS, name), label=name, kind="setting")


def _ends(field: FormField) -> tuple[Any, Any]:
    low, high = field.default if field.kind == "pair" else (None, None)
    return low, high


def _rows(form: Form) -> list[dict[str, Any]]:
    """The constraints of a form, an empty one for each row that says nothing."""
    length = max((len(form.get(column.name, ())) for column in CONSTRAINTS.columns), default=0)
    return [_row(form, index) for index in range(length)]


def _row(form: Form, index: int) -> dict[str, Any]:
    values = {
        str(column.place[-1]): read(column.kind, (_text(form, column.name, index),))
        for column in CONSTRAINTS.columns
    }
    return {name: value for name, value in values.items() if value is not ABSENT}


def _text(form: Form, name: str, index: int) -> str:
    texts = form.get(name, ())
    return texts[index] if index < len(texts) else ""


def _shown_rows(constraints: Any) -> dict[str, list[str]]:
    """The inputs of some constraints; none where a row could not say one of them."""
    form: dict[str, list[str]] = {column.name: [] for column in CONSTRAINTS.columns}
    for constraint in constraints if isinstance(constraints, list) else ():
        for column in CONSTRAINTS.columns:
            value = constraint.get(column.place[-1])
            form[column.name].extend([""] if value is None else show(column.kind, value) or [""])
    wanted = [{name: one[name] for name in one if one[name] is not None} for one in constraints or ()]
    return form if wanted and _rows(form) == wanted else {}


def _put(document: dict[str, Any], place: Place, value: Any) -> None:
    *above, last = map(str, place)
    for step in above:
        document = document.setdefault(step, {})
    document[last] = value


def _at(document: Any, place: Place) -> Any:
    for step in place:
        if not isinstance(document, Mapping) or step not in document:
            return ABSENT
        document = document[step]
    return document


def _without(document: Mapping[Any, Any], place: Place) -> dict[Any, Any]:
    """The document without a place, and without the objects that held nothing else."""
    first, *below = place
    kept = {name: value for name, value in document.items() if name != first}
    if not below or not (left := _without(document[first], tuple(below))):
        return kept
    return {name: left if name == first else value for name, value in document.items()}


def _merged(document: Any, other: Any, place: Place) -> Any:
    """Both documents. Raises InvalidInputError where they say the same field."""
    if not (isinstance(document, Mapping) and isinstance(other, Mapping)):
        name = ".".join(map(str, place))
        raise InvalidInputError(f"{name} has a field of its own in this form.", fix="Say it in one place.")
    both = {name: _merged(document[name], other[name], (*place, name)) for name in document if name in other}
    return {**document, **other, **both}
