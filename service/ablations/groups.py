"""The groups of an ablation, with the results of the jobs that each variant ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from search.ablation import GROUPS
from service.ablations.results import JobResults, budget_results, trials_of
from service.ablations.views import GroupView, VariantView


class VariantRow(Protocol):
    """A job of a variant, as it is stored."""

    @property
    def group(self) -> str:
        """The key of the group."""

    @property
    def variant(self) -> str:
        """Its name within the group."""

    @property
    def description(self) -> str:
        """What it changes."""

    @property
    def method(self) -> str:
        """The method whose results count."""

    @property
    def job_id(self) -> str:
        """One of its jobs."""


def group_views(rows: Sequence[VariantRow], results: Mapping[str, JobResults]) -> list[GroupView]:
    """Every group, in the order of its rows; `results` is by job."""
    keys = dict.fromkeys(row.group for row in rows)
    return [_group_view(key, [row for row in rows if row.group == key], results) for key in keys]


def _group_view(key: str, rows: Sequence[VariantRow], results: Mapping[str, JobResults]) -> GroupView:
    group = GROUPS[key]
    variants = [
        _variant_view([row for row in rows if row.variant == name], results)
        for name in dict.fromkeys(row.variant for row in rows)
    ]
    return GroupView(key=key, title=group.title, question=group.question, variants=variants)


def _variant_view(rows: Sequence[VariantRow], results: Mapping[str, JobResults]) -> VariantView:
    first = rows[0]
    jobs = [results[row.job_id] for row in rows]
    planned, done = trials_of(jobs, first.method)
    return VariantView(
        name=first.variant,
        description=first.description,
        method=first.method,
        job_ids=[row.job_id for row in rows],
        trials_planned=planned,
        trials_done=done,
        results=budget_results(jobs, first.method),
    )
