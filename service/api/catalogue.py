"""What a job may name: architectures, data sets and methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import tables
from service.api.context import Catalogue, Context
from service.api.csv_answers import csv_table, wants_csv
from service.api.queries import TableForm, TableQuery
from service.views import NamedView

router = APIRouter(prefix="/v1", tags=["catalogue"])


@router.get("/architectures", response_model=list[NamedView])
def architectures(context: Context, query: TableForm, request: Request) -> list[NamedView] | Response:
    """The networks, with their settings."""
    return _answer(context.catalogue.architectures(), "architectures", query, request)


@router.get("/datasets", response_model=list[NamedView])
def datasets(context: Context, query: TableForm, request: Request) -> list[NamedView] | Response:
    """The data sets, and whether their files are there."""
    return _answer(context.catalogue.datasets(context.settings.data), "datasets", query, request)


@router.get("/methods", response_model=list[NamedView])
def methods(context: Context, query: TableForm, request: Request) -> list[NamedView] | Response:
    """The methods that search."""
    return _answer(context.catalogue.methods(), "methods", query, request)


def _answer(
    named: Iterable[NamedView], table: str, query: TableQuery, request: Request
) -> list[NamedView] | Response:
    found = list(named)
    return csv_table(found, tables.NAMED, table) if wants_csv(query.format, request) else found


def registered() -> Catalogue:
    """The catalogue of everything that is installed."""
    from workers.planning import plan_job  # imports torch and scikit-learn

    return Catalogue(plan=plan_job, architectures=_architectures, datasets=_datasets, methods=_methods)


def _architectures() -> list[NamedView]:
    from models.nets import architectures

    return [
        NamedView(name=a.name, summary=a.summary, details={"settings": _settings(a.settings)})
        for a in architectures().values()
    ]


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(setting) for name, setting in settings.items()}


def _datasets(folder: Path) -> list[NamedView]:
    from workers.data import datasets

    return [
        NamedView(
            name=d.name,
            summary=d.summary,
            details={
                "sample_shape": list(d.sample_shape),
                "classes": d.classes,
                "train_samples": d.train_samples,
                "frames": d.frames,
            },
            available=d.available,
            reason=d.reason or None,
        )
        for d in datasets(folder).values()
    ]


def _methods() -> list[NamedView]:
    from search.strategies import methods

    return [NamedView(name=m.name, summary=m.summary, details={}) for m in methods().values()]
