"""An ablation: one job, changed in one respect at a time, under the same budgets and seeds.

Variants whose jobs are equal but for their names share the job, under the name that came first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, field_validator

from models.cost import LayerShape
from models.errors import InvalidInputError
from search.ablation_groups import MAKERS, GroupKey, Variant, trained_once
from search.fields import Model, without_repeats
from search.job import JobSpec

__all__ = ["GROUPS", "AblationSpec", "Group", "Variant", "ablation_variants"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Variants that answer one question."""

    key: GroupKey
    title: str
    question: str


GROUPS: Mapping[str, Group] = {
    group.key: group
    for group in (
        Group(key="learned", title="What is learned", question="Which of T, Bs and Bw is worth learning?"),
        Group(key="renewal", title="Renewal", question="Must a step size follow a change of its bits?"),
        Group(key="steps", title="Steps", question="Is it worth learning T, or does a fixed T do as well?"),
        Group(
            key="targets", title="Budget or targets", question="Is one budget better than a target for each?"
        ),
    )
}


class AblationSpec(Model):
    """An ablation as a user asks for it: the job that is varied, and which groups of variants."""

    job: JobSpec
    groups: tuple[GroupKey, ...] = Field(default=("learned", "renewal", "steps", "targets"), min_length=1)

    @field_validator("groups")
    @classmethod
    def _without_repeats(cls, values: tuple[GroupKey, ...]) -> tuple[GroupKey, ...]:
        return without_repeats(values)

    def to_json(self) -> dict[str, Any]:
        """The complete spec with every default written out."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """A SHA-256 of the complete spec."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def ablation_variants(spec: AblationSpec, layers: Sequence[LayerShape]) -> tuple[Variant, ...]:
    """The variants of every group that was asked for, in order, for a job with this layer table.

    A budget that a variant cannot keep is left out of it, and a variant without any budget is left out.
    Raises InvalidInputError for a job that searches architecture.
    """
    if spec.job.search_space:
        raise InvalidInputError(
            "an ablation varies the bits of one architecture, and this job searches several.",
            fix="Give the settings in architecture and leave out search_space.",
            pointer="/search_space",
        )
    base = trained_once(spec.job)
    found = [variant for key in spec.groups for variant in MAKERS[key](base, layers)]
    first: dict[str, JobSpec] = {}
    for job in (job for variant in found for job in variant.jobs):
        first.setdefault(_content(job), job)
    return tuple(
        replace(variant, jobs=tuple(first[_content(job)] for job in variant.jobs))
        for variant in found
        if variant.jobs
    )


def _content(job: JobSpec) -> str:
    """What a job trains, whatever its name."""
    return job.model_copy(update={"name": ""}).digest()
