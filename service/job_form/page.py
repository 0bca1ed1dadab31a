"""What the page of the form shows: groups of fields with texts and errors, the plan, the job to copy."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.api.access import Caller
from service.api.context import ApiContext
from service.errors import NotFoundError
from service.job_form.check import Checked
from service.job_form.fields import (
    ARCHITECTURE,
    BUDGET_METRIC,
    CONSTRAINTS,
    DATASET,
    FIRST,
    METHODS,
    MORE,
    OTHER,
    FormField,
    Group,
    setting_field,
)
from service.job_form.form import Form, form_of, job_of, setting_names, stored
from service.job_form.snippets import snippets
from service.keys import allows
from service.problem import FieldError
from service.views import NamedView

EMPTY_ROWS = 1
"""Rows for a further constraint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One choice of a field."""

    value: str
    text: str
    chosen: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A field as the page shows it."""

    field: FormField
    id: str
    texts: tuple[str, ...]
    options: tuple[Option, ...]
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownGroup:
    """A group as the page shows it."""

    title: str
    fields: tuple[Shown, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where on the page an error belongs."""

    id: str
    label: str


class FormPage:
    """Puts the page of a form together, which is a job's or a person's."""

    def __init__(self, context: ApiContext, form: Form, checked: Checked) -> None:
        self._offered = context.catalogue
        self._context = context
        self._form = form
        self._checked = checked
        self._architectures = self._offered.architectures()
        self._names = self._named_choices()
        self._errors, self._general = self._placed()

    @property
    def caller(self) -> Caller:
        """Whose page it is."""
        return self._context.caller

    def shown(self, base: Form, source: str, nonce: str) -> dict[str, Any]:
        """The context of `new_job.html`; `base` is the form that the address without fields shows."""
        caller, settings = self.caller, self._context.settings
        found = job_of(self._form)
        return {
            "first": [self._group(group) for group in FIRST],
            "more": [self._group(group) for group in MORE],
            "more_open": self._more_open(),
            "settings": [self._show(field) for field in self._setting_fields()],
            "rows": self._rows(),
            "other": self._show(_other()),
            "errors": [*self._in_order(), *((None, error) for error in self._general)],
            "checked": self._checked,
            "budget_metric": found.document.get("budget", {}).get("metric", BUDGET_METRIC.default),
            "snippets": snippets(
                found.document, settings.public_url or settings.url, asks_for_key=caller.key_id is not None
            ),
            "may_submit": allows(caller.scope, "submit"),
            "setup": {"base": {name: list(texts) for name, texts in base.items()}, "from": source},
            "source": source,
            "nonce": nonce or secrets.token_hex(12),
        }

    def _group(self, group: Group) -> ShownGroup:
        return ShownGroup(title=group.title, fields=tuple(self._show(field) for field in group.fields))

    def _show(self, field: FormField) -> Shown:
        texts = tuple(self._form.get(field.name, ()))
        return Shown(
            field=field,
            id=html_id(field.name),
            texts=texts or ("",),
            options=self._options(field, texts),
            errors=tuple(self._errors.get(field.name, ())),
        )

    def _options(self, field: FormField, texts: Sequence[str]) -> tuple[Option, ...]:
        """The choices of a field, and those that the form has beside them."""
        offered = self._names.get(field.name) or [(value, value, "") for value in field.options]
        if not offered:
            return ()
        said = [text.strip() for text in texts if text.strip()]
        known = {value: (value, text, note) for value, text, note in offered}
        if field.kind == "many":  # in the order of the job first, which is the order of its studies
            rest = [value for value in known if value not in said]
            return tuple(
                _option(known.get(value, (value, value, "")), value in said) for value in [*said, *rest]
            )
        listed = [*known, *(value for value in said if value not in known)]
        empty = [] if field.name in self._names else [Option(value="", text=_empty(field), chosen=not said)]
        return (*empty, *(_option(known.get(value, (value, value, "")), value in said) for value in listed))

    def _named_choices(self) -> dict[str, list[tuple[str, str, str]]]:
        """What the catalogue offers, as (value, text, note) by the name of the field."""
        datasets = self._offered.datasets(self._context.settings.data)
        return {
            ARCHITECTURE.name: [(one.name, one.name, "") for one in self._architectures],
            DATASET.name: [
                (one.name, one.name if one.available else f"{one.name} (not there)", "") for one in datasets
            ],
            METHODS.name: [(one.name, one.name, one.summary) for one in self._offered.methods()],
        }

    def _setting_fields(self) -> list[FormField]:
        """Those of the chosen network, and others that the form says something of."""
        known = settings_of(self._architectures, self._form)
        said = [name for name in setting_names(self._form) if name not in known]
        return [setting_field(name, known.get(name, {})) for name in [*known, *said]]

    def _rows(self) -> list[tuple[Shown, ...]]:
        filled = len(self._form.get(CONSTRAINTS.columns[0].name, ()))
        count = min(filled + EMPTY_ROWS, CONSTRAINTS.most) if filled < CONSTRAINTS.most else filled
        return [tuple(self._cell(column, index) for column in CONSTRAINTS.columns) for index in range(count)]

    def _cell(self, column: FormField, index: int) -> Shown:
        name = column.name.replace("*", str(index))
        texts = self._form.get(column.name, ())
        text = texts[index] if index < len(texts) else ""
        errors = tuple(self._errors.get(name, ()))
        options = self._options(column, (text,))
        return Shown(field=column, id=html_id(name), texts=(text,), options=options, errors=errors)

    def _placed(self) -> tuple[dict[str, list[FieldError]], list[FieldError]]:
        """The errors by the name of the field that they are about; the rest are about the whole job."""
        names = list(self._all_fields())
        placed: dict[str, list[FieldError]] = {}
        general = []
        for error in self._checked.errors:
            name = field_at(error.pointer, names)
            if name is None:
                general.append(error)
            else:
                placed.setdefault(name, []).append(error)
        return placed, general

    def _all_fields(self) -> dict[str, str]:
        """The labels of all fields by name, in the order of the page; a row's cells have its number."""
        single = [field for group in (*FIRST, *MORE) for field in group.fields]
        cells = {
            column.name.replace("*", str(index)): f"{column.label} (constraint {index + 1})"
            for index in range(CONSTRAINTS.most)
            for column in CONSTRAINTS.columns
        }
        labels = {field.name: field.label for field in (*single, *self._setting_fields(), _other())}
        return labels | cells

    def _in_order(self) -> list[tuple[Place, FieldError]]:
        """The errors in the order of their fields on the page, and where each leads."""
        labels = self._all_fields().items()
        places = (
            (Place(id=html_id(name), label=label), self._errors.get(name, ())) for name, label in labels
        )
        return [(place, error) for place, errors in places for error in errors]

    def _more_open(self) -> bool:
        """Nothing that is said, or wrong, is out of sight."""
        names = {field.name for group in MORE for field in group.fields} | {OTHER}
        filled = {name for name, texts in self._form.items() if any(map(str.strip, texts))}
        return not names.isdisjoint(filled | self._errors.keys())


def base_form(context: ApiContext, source: str) -> dict[str, list[str]]:
    """The form of a job that is there, or one to begin with. Raises NotFoundError."""
    if source:
        if not source.isprintable():  # PostgreSQL takes no NUL in a text
            raise NotFoundError("there is no such job.")
        with context.store.unit() as unit:
            job = unit.jobs.get(source)
        return form_of(stored(job.spec, job.labels, job.priority))
    offered = context.catalogue
    return form_of(
        {
            "architecture": _first(one.name for one in offered.architectures()),
            "dataset": _first(one.name for one in offered.datasets(context.settings.data) if one.available),
            "budget": {"max": [2, 4, 8]},
            "seeds": [0, 1, 2],
        }
    )


def _first(names: Iterable[str]) -> dict[str, str]:
    return {"name": name} if (name := next(iter(names), "")) else {}


def settings_of(architectures: Sequence[NamedView], form: Form) -> Mapping[str, Any]:
    """The settings of the network that a form names, as the catalogue has them."""
    wanted = next((text.strip() for text in form.get(ARCHITECTURE.name, ()) if text.strip()), "")
    found = next((one for one in architectures if one.name == wanted), None)
    settings: Mapping[str, Any] = found.details.get("settings", {}) if found else {}
    return settings


def field_at(pointer: str, names: Sequence[str]) -> str | None:
    """The field that a pointer leads to: itself, what it is a part of, or the first part of it.

    A place that no field has is among the other fields; None for an error of the whole job.
    """
    if not pointer:
        return None
    above = [name for name in names if pointer == name or pointer.startswith(name + "/")]
    below = [name for name in names if name.startswith(pointer + "/")]
    return max(above, key=len, default=None) or next(iter(below), OTHER)


def html_id(name: str) -> str:
    """The id of a field's input: without characters that a selector or a link would need to escape."""
    return "f" + re.sub(r"[^A-Za-z0-9/]", lambda found: f"_{ord(found[0]):x}_", name).replace("/", "-")


def _other() -> FormField:
    return FormField(place=(OTHER.removeprefix("/"),), label="Other fields (YAML)", kind="text")


def _option(told: tuple[str, str, str], chosen: bool) -> Option:
    value, text, note = told
    return Option(value=value, text=text, note=note, chosen=chosen)


def _empty(field: FormField) -> str:
    return "–" if field.default is None else f"{field.default} (default)"
