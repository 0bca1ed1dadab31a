"""Check a job against the network and the data that it names, before anything is stored or trained."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from models.allocation import Bounds, WeightPer
from models.cost import LayerShape, Limit, limit_cost
from models.errors import DataMissingError, InvalidInputError
from models.layers import LayerOptions
from models.nets import build_network, layer_table
from models.repair import greatest_allocation, least_allocation
from models.targets import Targets
from search.job import JobSpec
from search.recipe import telling
from search.strategy import StudyContext
from workers.checks import (
    check_cost_table,
    check_early_stopping,
    check_limits,
    check_methods,
    check_reference_rates,
    check_size,
    check_targets,
)
from workers.data import DatasetInfo, describe
from workers.data.splits import LEAST_TRAINING
from workers.warm_start import load_warm_start, warm_start_stamp

TRAINER_VERSION = 2
"""Raised whenever the same request would train to another result; part of every fingerprint."""

_TURN = threading.Lock()
"""The number of torch's threads belongs to the process: one at a time changes it and sets it back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPlan:
    """What follows from a job's names: its layer table, the reach of each cost, and its compute."""

    layers: tuple[LayerShape, ...]
    cost_ranges: Mapping[str, tuple[float, float]]
    samples_per_trial: int
    data_stamp: str  # changes whenever the files of the data or of the warm start do


def plan_job(spec: JobSpec, data_folder: Path) -> JobPlan:
    """The plan of a job.

    Raises UnknownNameError, InvalidInputError, InfeasibleError or DataMissingError, each with the JSON
    pointer of the field that is wrong.
    """
    check_methods(spec)
    info = dataset_info(spec, data_folder)
    layers = spec_layers(spec, info)
    check_size(spec, layers)
    check_cost_table(spec, layers)
    check_reference_rates(spec, layers)
    check_limits(spec, layers)
    check_targets(spec)
    check_early_stopping(spec)
    samples = (spec.dataset.train_samples or info.train_samples) * spec.training.epochs
    return JobPlan(
        layers=layers,
        cost_ranges=_cost_ranges(layers, spec.bits.bounds(), spec.bits.weight_per, _unit_limits(spec)),
        samples_per_trial=samples,
        data_stamp=info.stamp + _warm_start_stamp(spec, info, data_folder),
    )


def dataset_info(spec: JobSpec, data_folder: Path) -> DatasetInfo:
    """The registered data set that the job names, if its files are there."""
    wanted = spec.dataset
    info = describe(wanted.name, folder=data_folder, frames=wanted.frames, size=wanted.size)
    if not info.available:
        raise DataMissingError(info.reason or "the files are missing.", pointer="/dataset/name")
    samples = wanted.train_samples
    if samples is not None and not LEAST_TRAINING <= samples <= info.train_samples:
        raise InvalidInputError(
            f"{samples} training samples asked for; {info.name} has {info.train_samples}.",
            fix=f"Use {LEAST_TRAINING} to {info.train_samples}.",
            pointer="/dataset/train_samples",
        )
    return info


def spec_layers(spec: JobSpec, info: DatasetInfo) -> tuple[LayerShape, ...]:
    """The layer table of the job's network on the job's data."""
    # As JSON, since True and 1 are equal as keys of a cache but not as settings.
    settings = json.dumps(spec.architecture.settings, sort_keys=True)
    return _layers(
        spec.architecture.name,
        settings,
        info.sample_shape,
        info.classes,
        search_first_layer=spec.bits.search_first_layer,
        frames=info.frames,
    )


def study_context(spec: JobSpec, plan: JobPlan, seed: int) -> StudyContext:
    """What a strategy of this job may know."""
    return StudyContext(
        layers=plan.layers,
        bounds=spec.bits.bounds(),
        budgets=spec.budgets(),
        constraints=spec.constraint_limits(),
        seed=seed,
        trials=spec.compute.trials_per_study,
        initial=spec.bits.initial_bits(),
        learned=frozenset(spec.bits.learn),
        targets=tuple(Targets(**target.model_dump()) for target in spec.targets),
        weight_per=spec.bits.weight_per,
        stops_early=spec.compute.early_stopping is not None,
    )


def fingerprint(spec: JobSpec, proposal: Mapping[str, Any], seed: int, *, data_stamp: str = "") -> str:
    """A SHA-256 of everything that the result of a training run depends on, and of nothing else."""
    training = {
        "version": TRAINER_VERSION,
        "torch": torch.__version__,
        "architecture": spec.architecture.model_dump(mode="json"),
        "dataset": telling(spec.dataset),
        "data_stamp": data_stamp,
        "recipe": telling(spec.training),
        "first_layer": spec.bits.search_first_layer,
        "threads": threads_of(spec),
        "gpus": spec.compute.gpus_per_trial,
        "seed": seed,
        "proposal": {name: value for name, value in proposal.items() if name != "note"},
    }
    if proposal["kind"] != "fixed_bits":
        training["bits"] = telling(spec.bits)
        training["constraints"] = [constraint.model_dump(mode="json") for constraint in spec.constraints]
        training |= {"costs": steering} if (steering := spec.steering_costs()) else {}
    return hashlib.sha256(json.dumps(training, sort_keys=True).encode()).hexdigest()


def threads_of(spec: JobSpec) -> int:
    """The torch threads of a trial: whole CPUs, at least one."""
    return max(1, int(spec.compute.cpus_per_trial))


def _warm_start_stamp(spec: JobSpec, info: DatasetInfo, data_folder: Path) -> str:
    """Of the warm start, which has to fit the network; empty where the job names none."""
    name = spec.training.warm_start
    if name is None:
        return ""
    network = build_network(
        spec.architecture.name,
        spec.architecture.settings,
        sample_shape=info.sample_shape,
        classes=info.classes,
        options=spec.layer_options(temporal=info.frames > 0),
        search_first_layer=spec.bits.search_first_layer,
        frames=info.frames,
    )
    load_warm_start(network, name, data_folder)
    return f" {warm_start_stamp(name, data_folder)}"


def _unit_limits(spec: JobSpec) -> tuple[Limit, ...]:
    """A limit on each metric of the job, which says how the job computes it."""
    return tuple(spec.limit(metric, 1) for metric in spec.metrics())


@lru_cache(maxsize=256)  # a pure function too, of what the jobs of a batch mostly have in common
def _cost_ranges(
    layers: tuple[LayerShape, ...], bounds: Bounds, weight_per: WeightPer, limits: tuple[Limit, ...]
) -> Mapping[str, tuple[float, float]]:
    dearest = replace(bounds, weight_per=weight_per)
    ends = (least_allocation(layers, bounds), greatest_allocation(layers, dearest))
    return {
        limit.metric: (limit_cost(limit, layers, ends[0]), limit_cost(limit, layers, ends[1]))
        for limit in limits
    }


@lru_cache(maxsize=1024)  # a pure function of its arguments, asked again at every submission
def _layers(
    name: str,
    settings: str,
    sample_shape: tuple[int, int, int],
    classes: int,
    *,
    search_first_layer: bool,
    frames: int,
) -> tuple[LayerShape, ...]:
    with _one_thread():
        network = build_network(
            name,
            json.loads(settings),
            sample_shape=sample_shape,
            classes=classes,
            options=LayerOptions(temporal=frames > 0),
            search_first_layer=search_first_layer,
            frames=frames,
        )
        return layer_table(network, sample_shape, frames)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One sample is little work: threads that wait for busy processors take eight times as long over it."""
    with _TURN:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)
