"""The pass of a batch as one CUDA graph: on a small network most of a step is launches of short kernels.

    warm      the first WARM batches of a kind go as always, on the stream that is recorded later
    record    the kernels of the next one are noted, and do not run
    replay    each further batch is copied to where those kernels read, and all of them run in one launch

A recording holds for one `Kind`: the shapes of a batch, and whether bits have gradients. Bits, step sizes and
numbers of steps lie in the GPU's memory, so their values may change under it. The shape of event data follows
the number of steps, which is not known to the GPU alone: only images are recorded.

Each recording is tried on the batch that it was made of: where loss, gradients and running statistics are not
those of the pass itself, to the last bit, or where nothing can be recorded, the log says so and training goes
on without. So a recording changes no result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Protocol

import torch

from models.layers import SpikingNeuron
from models.nets import Network
from search.job import JobSpec
from workers.data.loader import Batch
from workers.placement import Placement

logger = logging.getLogger(__name__)
WARM = 3
"""Batches before a recording, in which libraries choose and compile their kernels."""
Result = tuple[torch.Tensor, torch.Tensor]
"""The mean loss of a batch, and how many of its samples were right."""
Tensors = Sequence[torch.Tensor]
UNUSED = "No CUDA graph of the training step is used, which is slower: %s."


class Recorder(Protocol):
    """What runs, records and replays work on a device."""

    def warm(self, work: Callable[[], Result]) -> Result:
        """Do the work now, where recordings are made."""
        ...

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        """The tensors that the work will give, and what does it again into them. Raises RuntimeError."""
        ...


class CudaRecorder:
    """Records CUDA graphs on a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    def warm(self, work: Callable[[], Result]) -> Result:
        """See `Recorder`."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            result = work()
        current.wait_stream(self._stream)
        return result

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        """See `Recorder`. Other threads may use the GPU meanwhile, as one that prepares batches does."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            outputs = work()
        return outputs, graph.replay


def recorded_pass(spec: JobSpec, network: Network, placement: Placement) -> RecordedPass | None:
    """What records the passes of a job; None where it does not ask for that or, which is said, has none."""
    if not spec.compute.cuda_graphs or placement.device.type != "cuda":
        return None
    if reason := _why_not(spec, network):
        logger.warning(UNUSED, reason)
        return None
    return RecordedPass(network, CudaRecorder(placement.device), samples=spec.training.batch_size)


def _why_not(spec: JobSpec, network: Network) -> str:
    """What keeps the passes of a job from being recorded; empty where nothing does."""
    if network.temporal:
        return "the shapes of event data follow the number of steps, for which the GPU has to be asked"
    if spec.bits.steps_gradient == "difference":
        return "the difference of steps_gradient asks the GPU for the number of steps"
    if spec.training.accumulate > 1 or spec.compute.processes_per_trial > 1:
        return "batches are computed in parts"
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What a recording holds for."""

    learning: bool
    forms: tuple[tuple[torch.Size, torch.dtype], ...]

    @classmethod
    def of(cls, batch: Batch, *, learning: bool) -> Kind:
        """That of a batch."""
        forms = tuple((each.shape, each.dtype) for each in (batch.x, batch.y_B, batch.target))
        return cls(learning=learning, forms=forms)


class RecordedPass:
    """Runs a pass over batches of `samples` by a recording of it, once it has one; over others as it is."""

    def __init__(self, network: Network, recorder: Recorder, *, samples: int) -> None:
        self.network = network
        self.recorder = recorder
        self.samples = samples
        self.replays = 0
        self._kind: Kind | None = None
        self._warmed = 0
        self._recording: _Recording | None = None
        self._given_up = False

    def run(self, batch: Batch, as_always: Callable[[Batch], Result], *, learning: bool) -> Result:
        """The result of `as_always`, and the gradients that it leaves."""
        if self._given_up:
            return as_always(batch)
        work = partial(as_always, batch)
        if len(batch.y_B) != self.samples:
            return self.recorder.warm(work)
        kind = Kind.of(batch, learning=learning)
        if kind != self._kind:
            self._kind, self._warmed, self._recording = kind, 0, None
        if self._recording is not None:
            self.replays += 1
            return self._recording.replay(batch)
        if self._warmed < WARM:
            self._warmed += 1
            return self.recorder.warm(work)
        return self._tried(batch, as_always)

    def _tried(self, batch: Batch, as_always: Callable[[Batch], Result]) -> Result:
        """Record the pass, and keep the recording where it does what the pass does."""
        self.network.zero_grad(set_to_none=True)  # of bits that are frozen now, too
        before = _Left.by(self.network)
        result = self.recorder.warm(partial(as_always, batch))
        wanted = _Left.by(self.network)
        before.restore(self.network)
        try:
            recording = _Recording(self.network, self.recorder, batch, as_always)
            found = recording.replay(batch)
            alike = _same(found, result) and _Left.by(self.network).same(wanted)
            reason = "" if alike else "it does not give what the pass gives"
        except RuntimeError as error:
            reason = f"{type(error).__name__}: {error}"
        if not reason:
            self._recording = recording
            return found
        self._given_up = True
        wanted.restore(self.network)
        logger.warning(UNUSED, reason)
        return result


class _Recording:
    """A pass over one batch's memory, and the memory that it leaves its results in."""

    def __init__(
        self, network: Network, recorder: Recorder, batch: Batch, as_always: Callable[[Batch], Result]
    ) -> None:
        self.batch = Batch(x=batch.x.clone(), y_B=batch.y_B.clone(), target=batch.target.clone())
        self.outputs, self._again = recorder.record(partial(self._work, network, as_always))

    def _work(self, network: Network, as_always: Callable[[Batch], Result]) -> Tensors:
        """The pass, and everything that it makes: its result, gradients, and samples of learning neurons."""
        neurons = _neurons(network)
        older = [neuron.sample for neuron in neurons]
        for neuron in neurons:
            neuron.forget()
        network.zero_grad(set_to_none=True)
        result = as_always(self.batch)
        gradients = {each: each.grad for each in network.parameters() if each.grad is not None}
        samples = {each: each.sample for each in neurons if each.sample is not None}
        for neuron, sample in zip(neurons, older, strict=True):
            neuron.sample = samples.get(neuron, sample)
        self.parameters, self.sampled = list(gradients), list(samples)
        return [*result, *gradients.values(), *samples.values()]

    def replay(self, batch: Batch) -> Result:
        """The pass over another batch of this kind. What it gives is overwritten by the next."""
        self.batch.x.copy_(batch.x)
        self.batch.y_B.copy_(batch.y_B)
        self.batch.target.copy_(batch.target)
        self._again()
        loss, right, *rest = self.outputs
        for parameter, gradient in zip(self.parameters, rest, strict=False):
            parameter.grad = gradient
        for neuron, sample in zip(self.sampled, rest[len(self.parameters) :], strict=True):
            neuron.sample = sample
        return loss, right


@dataclass(frozen=True, kw_only=True, slots=True)
class _Left:
    """What a pass leaves in a network: gradients, running statistics of norms, samples of neurons."""

    gradients: tuple[torch.Tensor | None, ...]
    buffers: tuple[torch.Tensor, ...]
    samples: tuple[torch.Tensor | None, ...]

    @classmethod
    def by(cls, network: Network) -> _Left:
        """What is there now."""
        gradients = (each.grad for each in network.parameters())
        return cls(
            gradients=tuple(None if each is None else each.clone() for each in gradients),
            buffers=tuple(each.clone() for each in network.buffers()),
            samples=tuple(each.sample for each in _neurons(network)),
        )

    def restore(self, network: Network) -> None:
        """Put it back."""
        for buffer, value in zip(network.buffers(), self.buffers, strict=True):
            buffer.copy_(value)
        for parameter, gradient in zip(network.parameters(), self.gradients, strict=True):
            parameter.grad = gradient
        for neuron, sample in zip(_neurons(network), self.samples, strict=True):
            neuron.sample = sample

    def same(self, other: _Left) -> bool:
        """Whether both are alike to the last bit."""
        return all(_same(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))


def _neurons(network: Network) -> list[SpikingNeuron]:
    return [layer.neuron for layer in network.layers.values()]


def _same(found: Sequence[torch.Tensor | None], wanted: Sequence[torch.Tensor | None]) -> bool:
    return all(
        (one is None) == (other is None) and (one is None or other is None or torch.equal(one, other))
        for one, other in zip(found, wanted, strict=True)
    )
