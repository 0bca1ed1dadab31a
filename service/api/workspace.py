"""The caller's workspace over REST: what it may use, and what it has used."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.context import Context
from service.workspaces import WorkspaceUse

router = APIRouter(prefix="/v1/workspace", tags=["workspace"])


@router.get("")
def workspace(context: Context) -> WorkspaceUse:
    """The workspace that the key belongs to, what the key may do, and every quota with its use."""
    caller = context.caller
    with context.store.unit() as unit:
        quotas = unit.quotas.uses()
    return WorkspaceUse(id=caller.workspace, scope=caller.scope, key_id=caller.key_id, quotas=quotas)
