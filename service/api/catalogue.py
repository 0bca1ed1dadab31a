"""What a job may name: architectures, data sets and methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from service.api.context import Catalogue, Context
from service.views import NamedView

router = APIRouter(prefix="/v1", tags=["catalogue"])


@router.get("/architectures")
def architectures(context: Context) -> list[NamedView]:
    """The networks, with their settings."""
    return list(context.catalogue.architectures())


@router.get("/datasets")
def datasets(context: Context) -> list[NamedView]:
    """The data sets, and whether their files are there."""
    return list(context.catalogue.datasets(context.settings.data))


@router.get("/methods")
def methods(context: Context) -> list[NamedView]:
    """The methods that search."""
    return list(context.catalogue.methods())


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
