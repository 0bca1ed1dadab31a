"""What every endpoint may use: settings, store, what is registered, and whether the service is stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from search.job import JobSpec
from service.settings import Settings
from service.store import Store
from service.views import NamedView

if TYPE_CHECKING:
    from workers.planning import JobPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """What a job may name, and how a job is planned; handed in, so that the API can be tested alone."""

    plan: Callable[[JobSpec, Path], JobPlan]
    architectures: Callable[[], Sequence[NamedView]]
    datasets: Callable[[Path], Sequence[NamedView]]
    methods: Callable[[], Sequence[NamedView]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiContext:
    """The parts of a running service that endpoints share."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    stopping: threading.Event = field(default_factory=threading.Event)


def context_of(request: Request) -> ApiContext:
    """The context of the application that answers this request."""
    context = request.app.state.context
    assert isinstance(context, ApiContext)  # noqa: S101 - narrows starlette's untyped state
    return context


Context = Annotated[ApiContext, Depends(context_of)]
