"""A batch as a user asks for it: a template, and what each job has of its own.

    jobs of the batch = the template, patched with each entry of `jobs` (as it is where there are none),
                        with every combination of the values in `grid`; its last field varies first

An entry of `jobs` is a JSON merge patch of the template: without a template, a whole job.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Annotated, Any

from pydantic import Field

from search.fields import Model, Name

MOST_JOBS = 500
Axis = Annotated[list[Any], Field(min_length=1)]


class BatchSpec(Model):
    """A template and a grid, a list, or both; `service.batches.expansion` makes the jobs of it."""

    name: Name | None = None
    template: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Axis] = Field(default_factory=dict)
    jobs: list[dict[str, Any]] = Field(default_factory=list)

    def size(self) -> int:
        """How many jobs there are; 0 where nothing says so."""
        if not self.grid and not self.jobs:
            return 0
        return max(len(self.jobs), 1) * math.prod(len(values) for values in self.grid.values())

    def to_json(self) -> dict[str, Any]:
        """As it was asked for."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def digest(self) -> str:
        """A SHA-256 of what was asked for, in whatever order its fields were written."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()
