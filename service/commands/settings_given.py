"""Fields and labels of a job that a command line gives: `--set place=value` and `--label key:value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from models.errors import InvalidInputError
from service.batches.places import place_of, put
from service.labels import given_label
from service.yaml_text import read_value

LabelOption = Annotated[
    list[str] | None, typer.Option("--label", help="A label of the job, key:value; may be repeated.")
]


def with_labels(job: Mapping[str, Any], given: Sequence[str] | None) -> dict[str, Any]:
    """A job with further labels. Raises InvalidInputError for what is no label."""
    labels = dict(given_label(text) for text in given or ())
    return dict(job) if not labels else put(job, ("labels",), {**(job.get("labels") or {}), **labels})


def with_settings(job: Mapping[str, Any], given: Sequence[str] | None) -> dict[str, Any]:
    """A job with fields set, each as `architecture.width=16`. Raises InvalidInputError."""
    changed: Any = dict(job)
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidInputError(f"{text!r} sets nothing.", fix="Write architecture.width=16.")
        changed = put(changed, place_of(name.strip()), read_value(value))
    return dict(changed)
