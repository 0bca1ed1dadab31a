"""What every endpoint may use: settings, store, what is registered, and whether the service is stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from search.job import JobSpec
from service.api.access import ANYBODY, Caller
from service.api.shared_looks import SharedLooks
from service.room import Room
from service.settings import Settings
from service.store import Store
from service.uploads.owned import owned
from service.views import NamedView

if TYPE_CHECKING:
    from workers.planning import JobPlan

POLL_SECONDS = 0.5
"""Between looks at what has happened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """What a job may name, and how a job is planned; handed in, so that the API can be tested alone."""

    plan: Callable[[JobSpec, Path], JobPlan]
    architectures: Callable[[], Sequence[NamedView]]
    datasets: Callable[[Path], Sequence[NamedView]]
    methods: Callable[[], Sequence[NamedView]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiContext:
    """The parts of a running service that endpoints share; `store` is the caller's workspace there."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    room: Room
    stopping: threading.Event = field(default_factory=threading.Event)
    caller: Caller = ANYBODY
    looks: SharedLooks = field(default_factory=lambda: SharedLooks(POLL_SECONDS))


def context_of(request: Request) -> ApiContext:
    """The context of a call: what it reads and writes is the workspace of its caller, whom a layer found."""
    caller: Caller = request.state.caller
    context = operations_of(request)
    store = context.store.within(caller.workspace, trace_id=request.state.trace_id)
    return replace(context, caller=caller, store=store, catalogue=owned(context.catalogue, store))


def operations_of(request: Request) -> ApiContext:
    """The context of the application, over all workspaces: for calls that say nothing of anybody's work."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)  # noqa: S101 - narrows starlette's untyped state
    return context


Context = Annotated[ApiContext, Depends(context_of)]
Operations = Annotated[ApiContext, Depends(operations_of)]
