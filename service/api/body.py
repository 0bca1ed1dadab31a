"""Reads the JSON body of a request strictly: no NaN, no infinities, no key twice, no runaway nesting."""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from service.api.errors import HttpError, InvalidFieldsError
from service.api.schema import Place, Schema
from service.api.validation import MOST_ERRORS, field_errors, pointer_of
from service.problem import FieldError


async def json_bytes(request: Request) -> bytes:
    """The body of a request that says it is JSON. Raises HttpError 415 when it says otherwise."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise HttpError(
            415,
            "unsupported_media_type",
            f"the body is declared as {declared or 'nothing'}.",
            fix="Send JSON with the header Content-Type: application/json.",
        )
    return await request.body()


DEEPEST = 50
"""Levels of nesting; a job has five, and what walks a document later may recurse."""
Spec = TypeVar("Spec", bound=BaseModel)
JsonBytes = Annotated[bytes, Depends(json_bytes)]


def parse_as(kind: type[Spec], raw: bytes) -> Spec:
    """What a user asks for, from JSON text, types taken strictly.

    Raises HttpError 400 for text that is not JSON and InvalidFieldsError for fields that cannot be.
    """
    document = parse_json(raw)
    endless = list(_not_finite(document))[:MOST_ERRORS]
    if endless:
        raise InvalidFieldsError(endless)
    return checked_json(kind, raw)


def checked_json(kind: type[Spec], raw: bytes) -> Spec:
    """What a user asks for, from JSON text that has no other flaw. Raises as `parse_as` does."""
    try:
        return kind.model_validate_json(raw, strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        if details[0]["type"] == "json_invalid":
            _malformed(str(details[0]["ctx"]["error"]))
        raise InvalidFieldsError(field_errors(details, schema_of(kind))) from None


@lru_cache(maxsize=8)  # the schema of a class never changes
def schema_of(kind: type[BaseModel]) -> Schema:
    """The JSON schema of what a user may ask for."""
    return kind.model_json_schema()


def parse_json(raw: bytes) -> Any:
    """The document of a JSON text; NaN and infinities are left in it, to be named by their place."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError:
        _malformed("it is nested too deeply")
    except ValueError as error:  # also of UnicodeDecodeError and JSONDecodeError
        _malformed(str(error))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} is there twice in one object")
    return found


def _malformed(reason: str) -> NoReturn:
    raise HttpError(400, "malformed_json", f"the body is not JSON: {reason}.", fix="Send one JSON object.")


def _not_finite(document: Any) -> Iterator[FieldError]:
    """Every number of a document that is not finite, by its place; without recursion.

    Raises HttpError 400 for a document that is nested too deeply.
    """
    waiting: deque[tuple[Place, Any]] = deque([((), document)])
    while waiting:
        place, value = waiting.popleft()
        if len(place) > DEEPEST:
            _malformed("it is nested too deeply")
        if isinstance(value, dict):
            waiting.extend(((*place, name), below) for name, below in value.items())
        elif isinstance(value, list):
            waiting.extend(((*place, index), below) for index, below in enumerate(value))
        elif isinstance(value, float) and not math.isfinite(value):
            yield FieldError(
                pointer=pointer_of(place),
                detail="NaN and infinity are not numbers that a job can use.",
                fix="Use a finite number.",
                code="not_finite",
            )
