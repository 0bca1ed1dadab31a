"""The keys of the caller's workspace over REST: make one, list them, revoke one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.body import JsonBytes, parse_as
from service.api.context import ApiContext, Context
from service.api.csv_answers import csv_table, wants_csv
from service.api.ids import KeyId
from service.api.queries import TableForm
from service.keys import KeySpec, KeyView, NewKeyView, lifetime

router = APIRouter(prefix="/v1/keys", tags=["keys"])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": KeySpec.model_json_schema()}},
    }
}


@router.post("", status_code=201, openapi_extra=_BODY)
def create(context: Context, raw: JsonBytes, response: Response) -> NewKeyView:
    """Make a key; `key` is all of it, and is nowhere else afterwards."""
    made = create_key(context, parse_as(KeySpec, raw))
    response.headers["Cache-Control"] = "no-store"
    return made


@router.get("", response_model=list[KeyView])
def listing(context: Context, query: TableForm, request: Request) -> list[KeyView] | Response:
    """Every key, newest first, whatever its state."""
    with context.store.unit() as unit:
        found = unit.keys.all(context.caller.workspace)
    return csv_table(found, tables.KEYS, "keys") if wants_csv(query.format, request) else found


@router.post("/{key_id}/revoke")
def revoke(context: Context, key_id: KeyId) -> KeyView:
    """End a key for good, and every browser's sign-in with it. Asking again changes nothing."""
    with context.store.unit() as unit:
        return unit.keys.revoke(key_id, context.caller.workspace)


def create_key(context: ApiContext, spec: KeySpec) -> NewKeyView:
    """A new key of the caller's workspace."""
    with context.store.unit() as unit:
        view, key = unit.keys.create(
            workspace=context.caller.workspace,
            name=spec.name,
            scope=spec.scope,
            lives=lifetime(spec.expires),
        )
    return NewKeyView(**view.model_dump(), key=key.text)
