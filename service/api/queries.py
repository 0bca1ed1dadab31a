"""The query parameters of each call; unknown names and values are refused rather than passed over."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from search.job import MetricName, Name
from service.comparison.views import Accuracy
from service.views import EventKind, ExportFormat, JobState, TrialState

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Maximum = Annotated[float, Field(gt=0)] | None
CursorText = Annotated[str, Field(min_length=1, max_length=512)]


class QueryModel(BaseModel):
    """Base of all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoQuery(QueryModel):
    """A call that takes no parameters."""


class PageQuery(QueryModel):
    """A slice of a listing."""

    limit: int = Field(default=50, ge=1, le=100)
    cursor: CursorText | None = None
    format: Literal["json", "csv"] | None = None


class JobPageQuery(PageQuery):
    """Jobs, of one state, of one batch or with some labels if wanted."""

    state: JobState | None = None
    batch: Annotated[str, Field(max_length=64)] | None = None
    label: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(default=[], max_length=16)


class TrialPageQuery(PageQuery):
    """Trials of a job."""

    state: TrialState | None = None
    method: Name | None = None
    seed: Seed | None = None


class SubmitQuery(QueryModel):
    """`validate_only` answers the plan and stores nothing."""

    validate_only: bool = False


class WaitQuery(QueryModel):
    """Seconds to wait for the end of the job."""

    wait: float = Field(default=0, ge=0, le=30)


class FrontQuery(QueryModel):
    """Which points, by which cost, in which form."""

    metric: MetricName | None = None
    method: Name | None = None
    seed: Seed | None = None
    all_points: bool = False
    format: Literal["json", "csv"] | None = None


class JobsQuery(QueryModel):
    """Which jobs, by id, those of a batch or with some labels; which methods and seeds, by which cost."""

    job: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=100)
    batch: Annotated[str, Field(max_length=64)] | None = None
    label: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(default=[], max_length=16)
    metric: MetricName | None = None
    method: list[Name] = Field(default=[], max_length=32)
    seed: list[Seed] = Field(default=[], max_length=100)
    format: Literal["json", "csv"] | None = None


class OverlayQuery(JobsQuery):
    """Their fronts, or all points."""

    all_points: bool = False


class CloudQuery(JobsQuery):
    """Their points in ranges of the cost and of the score on a split; `over` is of hypervolumes alone."""

    cost_min: float = Field(default=0, ge=0)
    cost_max: Annotated[float, Field(ge=0)] | None = None
    score_min: float = Field(default=0, ge=0, le=1)
    score_max: float = Field(default=1, ge=0, le=1)
    accuracy: Accuracy = "validation"
    most: int = Field(default=2_000, ge=0, le=100_000)
    over: Literal["compute", "time"] = "compute"


class TableQuery(QueryModel):
    """JSON, or CSV."""

    format: Literal["json", "csv"] | None = None


class ComparisonQuery(QueryModel):
    """Whom to compare with the others, by which accuracy, in which form."""

    subject: Name | None = None
    accuracy: Accuracy = "test"
    format: Literal["json", "csv"] | None = None


class ExportQuery(QueryModel):
    """The format of an export."""

    format: ExportFormat = "integers"


class BestQuery(QueryModel):
    """The budget that the best point has to keep."""

    metric: MetricName | None = None
    max: float = Field(gt=0)


class FitQuery(QueryModel):
    """The greatest cost that is acceptable by each metric; the rest is free."""

    bit_budget: Maximum = None
    s_ace: Maximum = None
    weight_kib: Maximum = None
    spike_kib: Maximum = None
    ns_ace: Maximum = None
    sops: Maximum = None
    cycles: Maximum = None
    energy_uj: Maximum = None
    table: Maximum = None


class EventQuery(QueryModel):
    """The id of the last event that was seen."""

    after: int = Field(default=0, ge=0, lt=2**63)


class ManyEventsQuery(QueryModel):
    """Whose events, of which kinds, after which id (what is there already is left out without one).

    `wait` is how many seconds the stream stays open.
    """

    job: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=100)
    batch: Annotated[str, Field(max_length=64)] | None = None
    label: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(default=[], max_length=16)
    kind: list[EventKind] = Field(default=[], max_length=8)
    after: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    wait: float = Field(default=0, ge=0, le=3600)


JobPages = Annotated[JobPageQuery, Query()]
Pages = Annotated[PageQuery, Query()]
TrialPages = Annotated[TrialPageQuery, Query()]
Submission = Annotated[SubmitQuery, Query()]
Wait = Annotated[WaitQuery, Query()]
FrontChoice = Annotated[FrontQuery, Query()]
Overlay = Annotated[OverlayQuery, Query()]
CloudChoice = Annotated[CloudQuery, Query()]
TableForm = Annotated[TableQuery, Query()]
ComparisonChoice = Annotated[ComparisonQuery, Query()]
ExportForm = Annotated[ExportQuery, Query()]
Best = Annotated[BestQuery, Query()]
Fit = Annotated[FitQuery, Query()]
EventsAfter = Annotated[EventQuery, Query()]
ManyEvents = Annotated[ManyEventsQuery, Query()]
