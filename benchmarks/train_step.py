"""A training step of our network beside its float twin and other spiking networks of one shape, in one run.

    make bench ARGS="train_step.py"            everything, with the libraries of benchmarks/requirements.txt
    python benchmarks/train_step.py            what is installed

ResNet-20, 16 channels, 3x32x32. The contenders take turns, so that a machine whose speed drifts slows all of
them; the medians and their ratios to the float twin are the figures. Peak memory is measured in a process of
its own for each: the growth of its resident set over a few steps, or on a GPU what torch allocated there.
Options: --threads, --steps, --batch, --rounds, --channels-last, --device (cpu or cuda), --precision (float32
or bfloat16, in which convolutions and matrix products are autocast as in trials), --graph (each contender's
step is recorded as a CUDA graph and replayed, as in trials with compute.cuda_graphs), --only, --reference DIR
(a checkout of the code that the paper released; it runs on the CPU in float32, in a process of its own, since
its packages have our names).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import torch
from contenders import CLASSES, CONTENDERS, NEEDS, PLAIN, SAMPLE_SHAPE, TWIN, without_fused_forms
from torch.nn import functional

from workers.recording import CudaRecorder

WARM_UP, MEMORY_STEPS = 3, 3
KIB_PER_MIB = BYTES_PER_KIB = 1024


def main() -> None:
    """Print a table for each number of steps."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        print(json.dumps(peak_mib(options.memory_of, options)))
        return
    order = "channels-last" if options.channels_last else "default layout"
    where = f"{options.threads} threads" if options.device == "cpu" else torch.cuda.get_device_name()
    how = ", replayed" if options.graph else ""
    setting = f"batch {options.batch}, 4/4 bits, {where}, {options.precision}, {order}{how}"
    print(f"ResNet-20, 16 channels, 3x32x32, {setting}")
    for steps in options.steps:
        print(f"\nT = {steps}")
        print(f"{'network':<24} {'ms a step':>10} {'over twin':>10} {'peak MiB':>9} {'over twin':>10}")
        show(steps, options)


def show(steps: int, options: argparse.Namespace) -> None:
    """The rows of one T."""
    seconds = times(steps, options)
    memory = {name: memory_in_a_process(name, steps, options) for name in seconds}
    if options.reference:
        seconds["paper's code"], memory["paper's code"] = reference(steps, options)
    for name, taken in seconds.items():
        time_ratio, memory_ratio = taken / seconds[TWIN], memory[name] / memory[TWIN]
        print(
            f"{name:<24} {taken * 1e3:>10.1f} {time_ratio:>9.2f}x {memory[name]:>9.0f} {memory_ratio:>9.2f}x",
            flush=True,
        )


def times(steps: int, options: argparse.Namespace) -> dict[str, float]:
    """Median seconds of a step of each contender, measured in turns."""
    contenders = {name: step_of(name, prepared(name, steps, options), options) for name in chosen(options)}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(WARM_UP + options.rounds):
        for name, step in contenders.items():
            spent = step_seconds(step, options)
            if turn >= WARM_UP:
                taken[name].append(spent)
    return {name: statistics.median(spent) for name, spent in taken.items()}


def chosen(options: argparse.Namespace) -> list[str]:
    """The contenders that can run here; the float twin always does."""
    wanted = [name for name in CONTENDERS if name == TWIN or not options.only or name in options.only]
    missing = [name for name in wanted if name in NEEDS and find_spec(NEEDS[name]) is None]
    for name in missing:
        print(f"{name} is not installed (benchmarks/requirements.txt): left out")
    return [name for name in wanted if name not in missing]


def prepared(name: str, steps: int, options: argparse.Namespace) -> torch.nn.Module:
    """A contender in training mode and memory order."""
    order = torch.channels_last if options.channels_last else torch.contiguous_format
    return CONTENDERS[name](steps).to(device=options.device, memory_format=order).train()


def batch(options: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of the right shape; the time of a step does not depend on what is seen."""
    torch.manual_seed(0)
    order = torch.channels_last if options.channels_last else torch.contiguous_format
    x_BCHW = torch.randn(options.batch, *SAMPLE_SHAPE).to(device=options.device, memory_format=order)
    return x_BCHW, torch.randint(CLASSES, (options.batch,), device=options.device)


def step_of(name: str, model: torch.nn.Module, options: argparse.Namespace) -> Callable[[], object]:
    """Forward and backward of one batch by a contender, as they are or as a recording of them."""
    x_BCHW, y_B = batch(options)

    def step() -> tuple[torch.Tensor, torch.Tensor]:
        half = torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.precision == "bfloat16")
        with without_fused_forms() if name == PLAIN else nullcontext():
            model.zero_grad(set_to_none=True)
            with half:
                logits = model(x_BCHW)
            loss = functional.cross_entropy(logits.float(), y_B)
            loss.backward()
        return loss.detach(), logits.detach()

    return recorded(step) if options.graph and name != PLAIN else step  # the reference form waits for the GPU


def recorded(step: Callable[[], tuple[torch.Tensor, torch.Tensor]]) -> Callable[[], object]:
    """What replays a step."""
    recorder = CudaRecorder(torch.device("cuda", torch.cuda.current_device()))
    for _ in range(WARM_UP):
        recorder.warm(step)
    _, again = recorder.record(step)
    return again


def step_seconds(step: Callable[[], object], options: argparse.Namespace) -> float:
    """One step, to its end."""
    began = now(options)
    step()
    return now(options) - began


def now(options: argparse.Namespace) -> float:
    """Seconds, once the device has done what it was told."""
    if options.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def memory_in_a_process(name: str, steps: int, options: argparse.Namespace) -> float:
    """Peak MiB of a contender, in a fresh process."""
    command = [sys.executable, __file__, "--memory-of", name, "--steps", str(steps)]
    command += ["--batch", str(options.batch), "--threads", str(options.threads)]
    command += ["--device", options.device, "--precision", options.precision]
    command += ["--channels-last"] if options.channels_last else []
    command += ["--graph"] if options.graph else []
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def peak_mib(name: str, options: argparse.Namespace) -> float:
    """How far a few training steps raise the memory over that of the idle network, in MiB."""
    model = prepared(name, options.steps[0], options)
    before = highest_kib(options)
    step = step_of(name, model, options)
    for _ in range(MEMORY_STEPS):
        step_seconds(step, options)
    return (highest_kib(options) - before) / KIB_PER_MIB


def highest_kib(options: argparse.Namespace) -> float:
    """The peak of the GPU's tensors, or of the process's own resident set; getrusage's would start at that of
    the process that started it.
    """
    if options.device == "cuda":
        return torch.cuda.max_memory_allocated() / BYTES_PER_KIB
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def reference(steps: int, options: argparse.Namespace) -> tuple[float, float]:
    """(median seconds, peak MiB) of the paper's code, in a process of its own."""
    script = Path(__file__).with_name("reference.py")
    command = [sys.executable, str(script), str(options.reference), "--steps", str(steps)]
    command += ["--batch", str(options.batch), "--threads", str(options.threads), "--rounds", "5"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["mib"]


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--graph", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS))
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--memory-of", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.graph and options.device != "cuda":
        parser.error("--graph is for --device cuda")
    return options


if __name__ == "__main__":
    main()
