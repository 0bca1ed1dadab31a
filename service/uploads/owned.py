"""A catalogue that knows only one workspace's uploads: ids are hashes, and others may know the content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import UnknownNameError
from search.job import JobSpec
from service.store import Store
from service.uploads.views import PREFIX
from service.views import NamedView

if TYPE_CHECKING:
    from service.api.context import Catalogue
    from workers.planning import JobPlan


def owned(catalogue: Catalogue, store: Store) -> Catalogue:
    """A catalogue whose plans and data sets leave out the uploads of others."""

    def plan(spec: JobSpec, folder: Path) -> JobPlan:
        require_own(store, spec)
        return catalogue.plan(spec, folder)

    def datasets(folder: Path) -> Sequence[NamedView]:
        found = catalogue.datasets(folder)
        if not any(one.name.startswith(PREFIX) for one in found):
            return found
        with store.unit() as unit:
            ids = unit.uploads.ids()
        return [one for one in found if not one.name.startswith(PREFIX) or one.name in ids]

    return replace(catalogue, plan=plan, datasets=datasets)


def require_own(store: Store, spec: JobSpec) -> None:
    """Raises UnknownNameError for an upload that the workspace has not made."""
    named = {"/dataset/name": spec.dataset.name, "/training/warm_start": spec.training.warm_start}
    asked = {pointer: name for pointer, name in named.items() if name is not None and name.startswith(PREFIX)}
    if not asked:
        return
    with store.unit() as unit:
        ids = unit.uploads.ids()
    for pointer, name in asked.items():
        if name not in ids:
            raise UnknownNameError(
                f"there is no upload {name!r}.",
                fix="`bitfront uploads` lists those there are.",
                pointer=pointer,
            )
