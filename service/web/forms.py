"""Forms of our own pages: what they hold, once it is sure that a page of ours sent them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

from fastapi import Depends, Request
from pydantic import BaseModel

from service.api.access import require_own_form
from service.api.body import parse_as

MOST_FIELDS = 32
Spec = TypeVar("Spec", bound=BaseModel)


async def _fields(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with its values. Raises HttpError where no page of ours sent it."""
    require_own_form(request)
    text = (await request.body()).decode("utf-8", errors="replace")
    try:
        return parse_qs(text, max_num_fields=MOST_FIELDS)
    except ValueError:  # too many
        return {}


Fields = Annotated[dict[str, list[str]], Depends(_fields)]


def spec_of(kind: type[Spec], given: Mapping[str, object]) -> Spec:
    """What a form asks for, checked as the same over REST. Raises InvalidFieldsError."""
    return parse_as(kind, json.dumps(given).encode())
