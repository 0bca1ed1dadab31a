"""The job as a user writes it (design section 6): YAML or JSON, validated once, frozen afterwards."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from models.allocation import Bounds
from models.cost import (
    BUDGET_METRICS,
    HARDWARE_METRICS,
    MEASURED_METRICS,
    CostBasis,
    Limit,
    ReferenceRates,
    Scope,
    default_scope,
)
from models.layers import LayerOptions
from search.architecture import (
    LEAST_VALUES,
    MOST_SETTINGS,
    MOST_VALUES,
    Chosen,
    architectures_of,
    checked_space,
)
from search.bits import GREATEST_BITS, BitsSpec
from search.cost_spec import CostTableText, HardwareSpec, ReferenceRatesSpec, table_of
from search.fields import Model, Name, Setting, without_repeats
from search.objective import Objective
from search.recipe import TrainingSpec

__all__ = ["JobSpec", "MetricName", "Model", "Name", "TrainingSpec", "without_repeats"]

MetricName = Literal[
    "bit_budget", "s_ace", "weight_kib", "spike_kib", "ns_ace", "sops", "cycles", "energy_uj", "table"
]
assert set(MetricName.__args__) == set(BUDGET_METRICS)  # type: ignore[attr-defined]  # noqa: S101 - Literal needs a literal; this keeps it true


class ArchitectureSpec(BaseModel):
    """A registered network and its settings, for example `{name: resnet20, width: 16}`."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Setting]
    name: Name

    @property
    def settings(self) -> dict[str, Setting]:
        """The settings beside the name."""
        return dict(self.__pydantic_extra__)


Values = Annotated[tuple[Setting, ...], Field(min_length=LEAST_VALUES, max_length=MOST_VALUES)]


class DatasetSpec(Model):
    """A registered data set; `train_samples` takes a seeded subset of its training images.

    `frames` and `size` (a side in pixels) are for event data, which is binned to them; None is its default.
    """

    name: Name
    train_samples: int | None = Field(default=None, ge=1)
    split_seed: int = Field(default=0, ge=0, lt=2**31)
    frames: int | None = Field(default=None, ge=1, le=256)
    size: int | None = Field(default=None, ge=1, le=4_096)


class BudgetSpec(Model):
    """The metric that a search bounds, and the bounds that it searches under."""

    metric: MetricName = "bit_budget"
    max: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1, max_length=32)  # the user's word
    scope: Scope | None = None

    @field_validator("max")
    @classmethod
    def _without_repeats(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return without_repeats(values)


class ConstraintSpec(Model):
    """A further upper bound, on another metric, that every point must keep."""

    metric: MetricName
    max: float = Field(gt=0)
    scope: Scope | None = None


class TargetSpec(Model):
    """Mean weight bits, spike bits and steps that `gradient-targets` steers to."""

    weight: float = Field(ge=1, le=GREATEST_BITS["weight"])
    spike: float = Field(ge=1, le=GREATEST_BITS["spike"])
    steps: float = Field(ge=1, le=GREATEST_BITS["steps"])


class EarlyStoppingSpec(Model):
    """Trials of given bits that fall behind end early (search.stopping), though not before `min_epoch`."""

    rule: Literal["median"] = "median"
    min_epoch: int = Field(default=1, ge=1, le=10_000)


class ComputeSpec(Model):
    """The compute that each study gets, and how trials are placed."""

    trials_per_study: int = Field(default=12, ge=1, le=10_000)
    concurrent_trials: int = Field(default=2, ge=1, le=1_024)
    cpus_per_trial: float = Field(default=1, gt=0, le=1_024)
    gpus_per_trial: float = Field(default=0, ge=0, le=64)
    processes_per_trial: int = Field(default=1, ge=1, le=256, exclude_if=lambda processes: processes == 1)
    """Processes that train a trial together, each on its part of every batch; they share its CPUs, GPUs and
    memory alike."""
    memory_mib_per_trial: int = Field(default=0, ge=0, le=4_194_304, exclude_if=lambda memory: memory == 0)
    """What a node must have left for a trial to be placed there; 0 asks for nothing, and is left out of what
    is stored, as it was before there was any."""
    cuda_graphs: bool = Field(default=False, exclude_if=lambda asked: not asked)
    """Whether a training step on a GPU is replayed from one CUDA graph."""
    early_stopping: EarlyStoppingSpec | None = None

    @field_validator("cuda_graphs")
    @classmethod
    def _graphs_have_a_gpu(cls, asked: bool, info: ValidationInfo) -> bool:
        if asked and info.data.get("gpus_per_trial") == 0:
            raise ValueError("CUDA graphs are for trials on a GPU: give gpus_per_trial, or leave this out")
        return asked

    @model_validator(mode="after")
    def _shared_alike(self) -> Self:
        """Ray gives a process a part of one CPU or GPU, or some whole ones."""
        for name in ("cpus_per_trial", "gpus_per_trial"):
            each = getattr(self, name) / self.processes_per_trial
            if each > 1 and each != int(each):
                raise ValueError(
                    f"{name} / processes_per_trial is {each:g}: each gets whole ones, or a part of one"
                )
        return self


class JobSpec(Model):
    """A whole search: one network, one data set, budgets, methods, seeds, recipe and compute.

    `objective` says what decides between points of equal cost; it changes nothing of how they train.
    """

    name: Name
    architecture: ArchitectureSpec
    search_space: dict[str, Values] = Field(
        default={}, max_length=MOST_SETTINGS, exclude_if=lambda space: not space
    )
    """Settings of the architecture that are searched beside bits. Left out of what is stored where it is
    empty, so that jobs without one are stored as they were before there was any."""
    dataset: DatasetSpec
    budget: BudgetSpec
    objective: Objective = "accuracy"
    constraints: tuple[ConstraintSpec, ...] = Field(default=(), max_length=8)
    bits: BitsSpec = BitsSpec()
    targets: tuple[TargetSpec, ...] = Field(default=(), max_length=32)
    hardware: HardwareSpec = HardwareSpec()
    cost_table: CostTableText = None
    reference_rates: ReferenceRatesSpec = Field(default={}, max_length=4_096)
    methods: tuple[Name, ...] = Field(
        default=("gradient", "optuna-tpe", "random"), min_length=1, max_length=16
    )
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(
        default=(0, 1, 2), min_length=1, max_length=64
    )
    training: TrainingSpec = TrainingSpec()
    compute: ComputeSpec = ComputeSpec()

    @field_validator("methods", "seeds")
    @classmethod
    def _without_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return without_repeats(values)

    @field_validator("search_space")
    @classmethod
    def _few_architectures(cls, space: dict[str, tuple[Setting, ...]]) -> dict[str, tuple[Setting, ...]]:
        return checked_space(space)

    def architectures(self) -> tuple[Chosen, ...]:
        """What can be chosen: the architectures of the search space, or nothing."""
        return architectures_of(self.search_space)

    def on(self, chosen: Chosen) -> Self:
        """The same job on one architecture of its search space."""
        named = ArchitectureSpec(name=self.architecture.name, **self.architecture.settings, **dict(chosen))
        return self.model_copy(update={"architecture": named, "search_space": {}})

    def all_methods(self) -> tuple[str, ...]:
        """The methods of the job; `uniform` runs in every job (design section 5)."""
        return self.methods if "uniform" in self.methods else (*self.methods, "uniform")

    def cost_basis(self) -> CostBasis:
        """What costs are computed with beside the bits."""
        table = None if self.cost_table is None else table_of(self.cost_table)
        rates = ReferenceRates(layers=tuple(sorted(self.reference_rates.items())))
        return CostBasis(hardware=self.hardware.hardware(), table=table, rates=rates)

    def limit(self, metric: str, maximum: float, scope: Scope | None = None) -> Limit:
        """A limit on a cost as this job computes it, in the metric's default scope unless told."""
        scope = scope or default_scope(metric)
        return Limit(metric=metric, maximum=maximum, scope=scope, basis=self.cost_basis())

    def budgets(self) -> tuple[Limit, ...]:
        """The budgets from the least to the greatest."""
        budget = self.budget
        return tuple(self.limit(budget.metric, maximum, budget.scope) for maximum in sorted(budget.max))

    def constraint_limits(self) -> tuple[Limit, ...]:
        """The constraints as limits on costs."""
        return tuple(self.limit(c.metric, c.max, c.scope) for c in self.constraints)

    def metrics(self) -> tuple[str, ...]:
        """The metrics that its points have fronts by: `table` only with a table."""
        return tuple(name for name in BUDGET_METRICS if name != "table" or self.cost_table is not None)

    def steering_costs(self) -> dict[str, Any]:
        """What learned bits depend on through the costs that are limited, beside the limits themselves."""
        limited = {self.budget.metric, *(constraint.metric for constraint in self.constraints)}
        told: dict[str, Any] = {
            name: self.hardware.telling(name) for name in sorted(limited & HARDWARE_METRICS)
        }
        told |= {"table": self.cost_table} if "table" in limited else {}
        measured = {"rates": self.reference_rates, "own_rates": True}  # what a training itself measures too
        return told | (measured if limited & MEASURED_METRICS else {})

    def layer_options(self, *, bounds: Bounds | None = None, temporal: bool = False) -> LayerOptions:
        """What every searched layer shares; `bounds` are the job's unless others are given."""
        neuron = self.training.neuron
        return LayerOptions(
            bounds=bounds or self.bits.bounds(),
            initial=self.bits.initial_bits(),
            learned=frozenset(self.bits.learn),
            temporal=temporal,
            leak=neuron.leak,
            learn_leak=neuron.learn_leak,
            threshold_shift=neuron.threshold_shift,
            signed_spikes=neuron.signed_spikes,
            weight_per=self.bits.weight_per,
            steps_gradient=self.bits.steps_gradient,
        )

    def to_json(self) -> dict[str, Any]:
        """The complete spec with every default written out."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """A SHA-256 of the complete spec."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
