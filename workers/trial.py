"""A trial: one training run from a request to its points. A plain function and a plain class, without Ray.

A trial has a folder of its own, `checkpoints/<trial id>/`, with its newest resume checkpoint while it runs
and with the checkpoints of its points: of a descent after each stage, else once it has ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from models.allocation import Allocation
from models.cost import Limit, layer_loads, limit_cost, mean_bits
from models.layers import LayerOptions
from models.memory import keep_freed_memory
from models.nets import Network, build_network, layer_table
from models.replicas import ALONE, Replicas
from search.job import DatasetSpec, JobSpec
from search.objective import Measured, score_of
from search.stopping import bars_of, why_stopped, without_bars
from search.strategy import FixedBits, Proposal, proposal_from_json
from workers.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from workers.data import Splits, load_splits
from workers.descent import stages_of
from workers.evaluation import measure
from workers.pace import Pace
from workers.placement import placement_of
from workers.places import Where, place_of
from workers.points import intact, record_point
from workers.progress import Progress
from workers.provenance import provenance
from workers.report import EpochReport, PointResult, TrialOutcome, TrialRequest, TrialStop, to_json
from workers.steering import learning_bounds
from workers.training import EpochSums, Trainer
from workers.warm_start import load_warm_start


def run_trial(
    request: TrialRequest,
    *,
    checkpoints: Where,
    data_folder: Path,
    threads: int,
    report: Callable[[EpochReport], None],
) -> TrialOutcome:
    """Train a request to its end, resuming from its folder, and report every epoch from the resumed one on.

    It is not stopped early: whoever asks for one training wants its point. Raises NanLossError,
    DataMissingError, DataDamagedError, InvalidInputError and StorageError.
    """
    request = replace(request, proposal=without_bars(request.proposal))
    run = TrialRun(request, checkpoints=checkpoints, data_folder=data_folder, threads=threads)
    if run.resumed is not None:
        report(run.resumed)
    while not run.finished:
        if (found := run.step()) is not None:
            report(found)
    return run.outcome()


class TrialRun:
    """A trial that is advanced one epoch at a time, or by the parts of epochs that its pace gives."""

    def __init__(
        self,
        request: TrialRequest,
        *,
        checkpoints: Where,
        data_folder: Path,
        threads: int,
        replicas: Replicas = ALONE,
        pace: Pace | None = None,
    ) -> None:
        use_threads(threads)
        spec = JobSpec.model_validate(request.spec)
        proposal = proposal_from_json(request.proposal, spec.cost_basis())
        self.spec = spec.on(proposal.settings)
        self.folder = place_of(checkpoints).child(request.trial_id)
        self.threads = threads
        self.replicas = replicas
        self.pace = pace or Pace(every=None)
        self.data = spec_splits(self.spec, data_folder)
        self.trainer = self._trainer(proposal, request.seed, data_folder)
        self._bits_change = not isinstance(proposal, FixedBits)
        self.resumed: EpochReport | None = None
        """The last whole epoch of an earlier attempt; it may have died before anyone was told of it."""
        self.stopped: str | None = None
        """Why it was stopped early."""
        self.points: tuple[PointResult, ...] = ()
        """What the stages before the last have reached; the last one's point is the outcome's to measure."""
        self._bars = bars_of(proposal.note)
        self._last: EpochReport | None = None
        self.progress = self._resume() or self.trainer.start()

    @property
    def finished(self) -> bool:
        """Whether every epoch has been trained, or the trial was stopped before."""
        return self.stopped is not None or self.progress.epoch >= self.trainer.epochs

    def step(self) -> EpochReport | None:
        """Train an epoch to its end, check it and report it, or a part of one; write a resume checkpoint."""
        self.progress, sums = self.trainer.run_part(self.progress, self.pace.pause())
        if sums is not None:
            began = time.perf_counter()
            validation = measure(self.trainer.network, self.data.validation, self.trainer.placement)
            self._last = self._report(sums, validation, sums.seconds + time.perf_counter() - began)
        if self.replicas.first:
            with self.pace.writing():
                self._keep()
        if sums is None or self._last is None:
            return None
        self.stopped = self._why_stopped(self._last)
        return self._last

    def _keep(self) -> None:
        progress = self.progress
        if progress.part is None and progress.epoch == self.trainer.stage.end and not self.finished:
            self.points = (*self.points, self._point())
        state = {
            "progress": progress.to_json(),
            "report": None if self._last is None else to_json(self._last),
            "points": [asdict(point) for point in self.points],
        }
        checkpoint = Checkpoint(
            epoch=progress.epoch,
            step=None if progress.part is None else progress.step,
            tensors=self.trainer.state(),
            state=state,
        )
        save_checkpoint(self.folder, checkpoint)

    def end(self) -> TrialOutcome | TrialStop:
        """What becomes of a finished trial."""
        if self.stopped is None:
            return self.outcome()
        return TrialStop(epochs=self.progress.epoch, samples=self.progress.samples, message=self.stopped)

    def outcome(self) -> TrialOutcome:
        """Measure the trained network once on the validation and the test split, and keep it."""
        return TrialOutcome(
            points=(*self.points, self._point()),
            epochs=self.progress.epoch,
            samples=self.progress.samples,
            provenance=self.provenance(),
        )

    def provenance(self) -> dict[str, Any]:
        """What its points were found with."""
        return provenance(threads=self.threads, data_sha256=self.data.sha256, processes=self.replicas.size)

    def _trainer(self, proposal: Proposal, seed: int, data_folder: Path) -> Trainer:
        torch.manual_seed(seed)  # the initial weights; the data order has generators of its own
        options = self.spec.layer_options(temporal=self.data.frames > 0)
        bounds = learning_bounds(proposal, options)
        options = replace(options, bounds=bounds, weight_per=bounds.weight_per)
        network = spec_network(self.spec, self.data, options)
        if self.spec.training.warm_start is not None:
            load_warm_start(network, self.spec.training.warm_start, data_folder)
        return Trainer(
            spec=self.spec,
            network=network,
            layers=layer_table(network, self.data.sample_shape, self.data.frames),
            data=self.data,
            seed=seed,
            stages=stages_of(proposal, self.spec),
            bounds=bounds,
            placement=placement_of(self.spec, network),
            replicas=self.replicas,
        )

    def _resume(self) -> Progress | None:
        found = latest_checkpoint(self.folder)
        if found is None:
            return None
        points = tuple(PointResult(**point) for point in found.state.get("points", ()))
        if not all(intact(self.folder, point) for point in points):
            return None  # it cannot give these points any more: train them again
        self.points = points
        progress = Progress.from_json(found.state["progress"])
        self.trainer.restore(found.tensors, progress)
        if (report := found.state["report"]) is not None:
            self.resumed = self._last = EpochReport(**report)
            self.stopped = self._why_stopped(self.resumed)  # it may have died before it could say so
        return progress

    def _report(self, sums: EpochSums, validation: Measured, seconds: float) -> EpochReport:
        network, layers = self.trainer.network, self.trainer.layers
        bits = mean_bits(layer_loads(layers, network.allocation(), "searched"))
        return EpochReport(
            epoch=self.progress.epoch,
            epochs=self.trainer.epochs,
            samples=self.progress.samples,
            seconds=seconds,
            learning_rate=sums.learning_rate,
            train_loss=sums.loss,
            train_accuracy=sums.accuracy,
            validation_accuracy=validation.accuracy,
            validation_balanced_accuracy=validation.balanced_accuracy,
            validation_loss=validation.loss,
            budget_cost=limit_cost(
                _budget_metric(self.spec).at_rates(self.progress.rates), layers, network.allocation()
            ),
            mean_weight_bits=float(bits[0]),
            mean_spike_bits=float(bits[1]),
            mean_steps=float(bits[2]),
            data_wait_share=sums.data_wait_share,
            layer_bits=_told(network.allocation()) if self._bits_change else None,
            renewals=dict(sums.renewals) if self._bits_change else None,
        )

    def _why_stopped(self, report: EpochReport) -> str | None:
        score = score_of(self.spec.objective, report.validation)
        return None if score is None else why_stopped(self._bars, report.epoch, score)

    def _point(self) -> PointResult:
        return record_point(self.trainer, self.folder, ordinal=len(self.points))


def use_threads(threads: int) -> None:
    """Fix what a result depends on beside its request: the thread count and deterministic kernels."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    # On a GPU a few backward passes (of max pooling, say) have no deterministic kernel: torch warns of those.
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    # That would also fill all new memory, to show who reads what nobody wrote; that costs a pass over it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # made at run time


def spec_network(spec: JobSpec, data: Splits, options: LayerOptions) -> Network:
    """The network of a job with fresh weights from torch's random state."""
    return build_network(
        spec.architecture.name,
        spec.architecture.settings,
        sample_shape=data.sample_shape,
        classes=data.classes,
        options=options,
        search_first_layer=spec.bits.search_first_layer,
        frames=data.frames,
    )


def spec_splits(spec: JobSpec, data_folder: Path) -> Splits:
    """The data of a job. Raises DataMissingError, DataDamagedError or InvalidInputError."""
    return _load(spec.dataset, data_folder)


@lru_cache(
    maxsize=1
)  # the trials of a reused worker share one data set; loading is a pure function of its files
def _load(dataset: DatasetSpec, folder: Path) -> Splits:
    return load_splits(
        dataset.name,
        folder=folder,
        train_samples=dataset.train_samples,
        split_seed=dataset.split_seed,
        frames=dataset.frames,
        size=dataset.size,
    )


def _told(allocation: Allocation) -> dict[str, Any]:
    """Bits as an epoch reports them: of channels with widths of their own the mean."""
    return {name: replace(bits, channel_bits=None).to_json() for name, bits in allocation}


def _budget_metric(spec: JobSpec) -> Limit:
    return spec.budgets()[-1]
