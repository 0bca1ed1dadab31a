"""Labels of jobs: words that people attach to find jobs again. They change nothing of what is trained."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from models.errors import InvalidInputError

MOST_LABELS = 32
LONGEST_VALUE = 128
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}")
Value = TypeVar("Value", str, str | None)


def checked_labels(labels: dict[str, Value]) -> dict[str, Value]:
    """The labels, if they can be some. Raises ValueError with the reason and, behind `; `, the fix."""
    if len(labels) > MOST_LABELS:
        raise ValueError(f"{len(labels)} labels are too many; use {MOST_LABELS} at most")
    for key, value in labels.items():
        if KEY.fullmatch(key) is None:
            fix = "use 1 to 63 letters, digits, '.', '_', '/' or '-', and begin with a letter or digit"
            raise ValueError(f"{key[:80]!r} is not the key of a label; {fix}")
        if value is not None and not (len(value) <= LONGEST_VALUE and value.isprintable()):
            fix = f"use at most {LONGEST_VALUE} characters that can be printed"
            raise ValueError(f"the value of {key!r} is too long or has control characters; {fix}")
    return labels


Labels = Annotated[dict[str, str], AfterValidator(checked_labels)]
LabelChanges = Annotated[dict[str, str | None], AfterValidator(checked_labels)]
"""New values by key; None takes a label away."""


def label_of(text: str) -> tuple[str, str | None]:
    """A filter `key:value`, or `key` for any value. Raises InvalidInputError."""
    key, colon, value = text.partition(":")
    if KEY.fullmatch(key) is None:
        raise InvalidInputError(
            f"{text[:80]!r} is not a label.", fix="Write key:value, or key for any value."
        )
    return key, value if colon else None


def given_label(text: str) -> tuple[str, str]:
    """A label to set, `key:value`. Raises InvalidInputError."""
    key, value = label_of(text)
    if value is None:
        raise InvalidInputError(f"the label {text!r} has no value.", fix=f"Write {text}:VALUE.")
    return key, value
