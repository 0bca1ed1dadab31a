"""A training whose passes are replayed from a recording is the same training, to the last bit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
import torch
from pydantic import ValidationError

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from models.functional.kernels import Neuron
from models.functional.kernels.interface import Gradients
from models.layers import LayerOptions
from models.nets import Network, build_network
from models.replicas import ALONE
from search.job import JobSpec
from search.recipe import TrainingSpec
from search.strategy import FixedBits, LearnBits, Proposal, proposal_to_json
from workers import recording
from workers.data.loader import Batch
from workers.passes import Passes
from workers.placement import Placement
from workers.planning import plan_job
from workers.recording import WARM, CudaRecorder, RecordedPass, Result, Tensors, recorded_pass
from workers.report import TrialRequest
from workers.trial import TrialRun

BATCH = 32
needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class Rehearsal:
    """Records on the CPU as a GPU does: what is recorded does not run, and a replay fills the same memory."""

    def __init__(self, network: Network, *, wrong_by: float = 0.0, refuses: bool = False) -> None:
        self.network = network
        self.wrong_by = wrong_by
        self.refuses = refuses
        self.records = 0

    def warm(self, work: Callable[[], Result]) -> Result:
        return work()

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        if self.refuses:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.records += 1
        before = [buffer.clone() for buffer in self.network.buffers()]
        outputs = [each.clone() for each in work()]
        for output in outputs:
            output.fill_(torch.nan if output.is_floating_point() else -1)
        for buffer, value in zip(self.network.buffers(), before, strict=True):
            buffer.copy_(value)

        def again() -> None:
            with self.unnoticed():
                for output, made in zip(outputs, work(), strict=True):
                    output.copy_(made + self.wrong_by if made.is_floating_point() else made)

        return outputs, again

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Kernels fill memory; which tensor a name stands for, they cannot change."""
        parameters = list(self.network.parameters())
        neurons = [layer.neuron for layer in self.network.layers.values()]
        gradients, samples = [each.grad for each in parameters], [each.sample for each in neurons]
        yield
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        for neuron, sample in zip(neurons, samples, strict=True):
            neuron.sample = sample


def job(**changes: object) -> JobSpec:
    return JobSpec.model_validate(
        {
            "name": "recorded",
            "architecture": {"name": "conv-net", "width": 4},
            "dataset": {"name": "digits", "train_samples": 7 * BATCH + 5},
            "budget": {"max": [3]},
            "training": {"epochs": 4, "batch_size": BATCH, "renewal": "search"},
            **changes,
        }
    )


def learned(metric: str = "bit_budget", maximum: float = 3.0) -> LearnBits:
    return LearnBits(budget=Limit(metric=metric, maximum=maximum), note={})


def trained(
    spec: JobSpec, proposal: Proposal, folder, recorder: Callable[[Network], object] | None
) -> tuple[dict[str, torch.Tensor], list[float], RecordedPass | None]:
    """The tensors and losses at the end of a training, and what replayed its passes."""
    request = TrialRequest(
        trial_id="trial-a", spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=3
    )
    run = TrialRun(request, checkpoints=folder, data_folder=folder, threads=1)
    passes = run.trainer.passes
    if recorder is not None:
        passes.recorded = RecordedPass(run.trainer.network, recorder(run.trainer.network), samples=BATCH)
    losses = []
    while not run.finished:
        report = run.step()
        losses.append(report.train_loss)
    return run.trainer.state(), losses, passes.recorded


def searched(spec: JobSpec, folder) -> list[str]:
    return [layer.name for layer in plan_job(spec, folder).layers if layer.fixed is None]


PROPOSALS = {
    "fixed": lambda names: FixedBits(
        allocation=Allocation(
            layers=dict.fromkeys(names, LayerBits.uniform(steps=2, spike_bits=2, weight_bits=3))
        ),
        note={},
    ),
    "learned": lambda _: learned(),
    "learned under a measured budget": lambda _: learned("sops", 40_000.0),
}


@pytest.mark.parametrize("kind", PROPOSALS)
def test_a_replayed_training_is_the_training_to_the_last_bit(tmp_path, kind):
    spec = job()
    proposal = PROPOSALS[kind](searched(spec, tmp_path))
    wanted, losses, _ = trained(spec, proposal, tmp_path / "always", None)
    found, replayed, recorded = trained(spec, proposal, tmp_path / "replayed", Rehearsal)
    assert replayed == losses
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    kinds = 1 if kind == "fixed" else 2
    assert recorded.recorder.records == kinds
    assert recorded.replays == 4 * 7 - kinds * (WARM + 1)


@pytest.mark.parametrize("failure", [{"wrong_by": 1e-6}, {"refuses": True}])
def test_a_recording_that_fails_or_differs_is_dropped_and_said(tmp_path, caplog, failure):
    spec = job()
    wanted, losses, _ = trained(spec, learned(), tmp_path / "always", None)
    with caplog.at_level(logging.WARNING, logger=recording.__name__):
        found, replayed, recorded = trained(
            spec, learned(), tmp_path / "failing", lambda network: Rehearsal(network, **failure)
        )
    assert replayed == losses
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert recorded.replays == 0
    (told,) = caplog.messages
    assert "No CUDA graph" in told


class Unread:
    """A fused form that computes nothing, for tensors without values."""

    def __init__(self, neuron: Neuron) -> None:
        self.neuron = neuron

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(current)

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        neuron = self.neuron
        return Gradients(
            current=grad,
            step_sizes=torch.empty_like(neuron.step_sizes),
            bits=torch.empty_like(neuron.bits),
            steps=None if neuron.steps is None else torch.empty_like(neuron.steps),
            leak=None,
            shifts=None,
        )


def without_values(architecture: str, shape: tuple[int, ...], frames: int = 0) -> tuple[Passes, Batch]:
    """The passes of a network on torch's meta device, where asking for a value is an error."""
    options = LayerOptions(temporal=frames > 0)
    network = build_network(
        architecture,
        {},
        sample_shape=shape,
        classes=10,
        options=options,
        search_first_layer=False,
        frames=frames,
    )
    sizes = (frames, 4, *shape) if frames else (4, *shape)
    network.train()(torch.rand(sizes))  # what starts with the first batch has started
    network.to("meta")
    meta = torch.device("meta")
    x, y_B = torch.empty(sizes, device=meta), torch.empty(4, dtype=torch.int64, device=meta)
    placement = Placement(device=meta)
    return Passes(network, TrainingSpec(), placement, ALONE), Batch(x=x, y_B=y_B, target=y_B)


IMAGES = {
    "conv-net": (1, 8, 8),
    "resnet20": (3, 16, 16),
    "resnet18": (3, 32, 32),
    "sew-resnet18": (3, 32, 32),
    "spikformer": (3, 32, 32),
}


@pytest.mark.parametrize("architecture", IMAGES)
def test_a_pass_over_images_asks_a_gpu_for_no_value(architecture):
    passes, batch = without_values(architecture, IMAGES[architecture])
    with patch("models.functional.kernels.autograd.form_of", lambda _, neuron: Unread(neuron)):
        loss, _ = passes.run(batch, learning=True)
    assert loss.device.type == "meta"
    assert all(
        parameter.grad is not None for parameter in passes.network.parameters() if parameter.requires_grad
    )


def test_a_pass_over_frames_does_so_it_is_not_recorded():
    passes, batch = without_values("conv-net", (2, 8, 8), frames=3)
    assert passes.network.temporal
    with (
        patch("models.functional.kernels.autograd.form_of", lambda _, neuron: Unread(neuron)),
        pytest.raises(RuntimeError, match="meta"),
    ):
        passes.run(batch, learning=True)


def on_a_gpu(**changes: object) -> JobSpec:
    return job(**{"compute": {"gpus_per_trial": 1, "cuda_graphs": True}, **changes})


IN_TWO_PROCESSES = {"processes_per_trial": 2, "cpus_per_trial": 2, "gpus_per_trial": 2, "cuda_graphs": True}


def made_for(spec: JobSpec, frames: int = 0, device: str = "cuda") -> RecordedPass | None:
    passes, _ = without_values("conv-net", (1, 8, 8), frames=frames)
    with patch("workers.recording.CudaRecorder", lambda device: device):
        return recorded_pass(spec, passes.network, Placement(device=torch.device(device)))


def test_images_on_a_gpu_are_recorded_where_a_job_asks_for_it(caplog):
    assert made_for(on_a_gpu()) is not None
    assert made_for(on_a_gpu(compute={"gpus_per_trial": 1})) is None
    assert made_for(on_a_gpu(), device="cpu") is None
    assert not caplog.messages


@pytest.mark.parametrize(
    ("changes", "frames", "reason"),
    [
        ({}, 3, "event data"),
        ({"bits": {"steps_gradient": "difference"}}, 0, "steps_gradient"),
        ({"training": {"accumulate": 2}}, 0, "in parts"),
        ({"compute": IN_TWO_PROCESSES}, 0, "in parts"),
    ],
)
def test_what_cannot_be_recorded_is_said(caplog, changes, frames, reason):
    assert made_for(on_a_gpu(**changes), frames=frames) is None
    (told,) = caplog.messages
    assert reason in told


def test_graphs_are_for_trials_on_a_gpu_and_left_out_of_what_is_stored_where_they_are_not_asked_for():
    assert "cuda_graphs" not in job().to_json()["compute"]
    assert on_a_gpu().to_json()["compute"]["cuda_graphs"] is True
    with pytest.raises(ValidationError, match="gpus_per_trial") as found:
        job(compute={"cuda_graphs": True})
    assert found.value.errors()[0]["loc"] == ("compute", "cuda_graphs")


@needs_a_gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cuda_graphs_give_the_training_to_the_last_bit(tmp_path, precision):
    spec = job(
        training={"epochs": 4, "batch_size": BATCH, "precision": precision}, compute={"gpus_per_trial": 1}
    )
    wanted, losses, _ = trained(spec, learned(), tmp_path / "always", None)
    device = torch.device("cuda")
    found, replayed, recorded = trained(
        spec, learned(), tmp_path / "replayed", lambda _: CudaRecorder(device)
    )
    assert recorded.replays == 4 * 7 - 2 * (WARM + 1)
    assert replayed == losses
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
