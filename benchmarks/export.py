"""The integer export of a network: seconds to make and read it, and its engine beside the float twin.

    python benchmarks/export.py [--threads 2] [--steps 1 2 4] [--bits 4] [--batch 128] [--rounds 9]
    python benchmarks/export.py --frames 4
    python benchmarks/export.py --network vggsnn --width 32 --shape 2 48 48
    python benchmarks/export.py --learned 16 8 4 [--data DIR] [--epochs 4] [--train-samples 6000]

ResNet-20, 16 channels, or another network: on images of 3x32x32, or on some frames of them, with the same
bits everywhere; or with the bits that a training on Fashion-MNIST learns for each budget. The contenders take
turns, so that a machine whose speed drifts slows all of them; medians and their ratios to the float twin are
the figures. The twin runs in both memory formats. --keep-memory lets the process keep what is freed, as
trials do: that helps the twin more than the integers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from twin_gap import train

from models.allocation import LayerBits
from models.cost import Limit, layer_loads, mean_bits
from models.export import InputSpec, IntegerNetwork, contents_of, export_of, make_export
from models.layers import LayerOptions
from models.memory import keep_freed_memory
from models.nets import Network, build_network, float_twin
from search.strategy import LearnBits
from workers.data import load_splits

CLASSES, WARM_UP = 10, 2
MAP_DIMS = 4
TWIN = "float twin"
RECIPE = {"dataset": "fashion-mnist", "lr": 0.1, "seed": 0}


def main() -> None:
    """Print a table for each number of steps."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.keep_memory:
        keep_freed_memory()
    bits = "learned" if options.learned else f"{options.bits}/{options.bits}"
    print(f"{options.network}, batch {options.batch}, {bits} bits, {options.threads} threads")
    if options.learned:
        show_learned(options)
        return
    for steps in options.steps:
        show(f"T = {steps}", prepared(steps, options), tuple(options.shape), options)


def show_learned(options: argparse.Namespace) -> None:
    """The rows of each budget."""
    data = load_splits(
        "fashion-mnist", folder=options.data, train_samples=options.train_samples, split_seed=0
    )
    recipe = argparse.Namespace(**vars(options), **RECIPE, budgets=options.learned)
    for budget in options.learned:
        limit = Limit(metric="bit_budget", maximum=budget)
        trainer = train(LearnBits(budget=limit, note={}), data, recipe)
        _, _, steps = mean_bits(layer_loads(trainer.layers, trainer.network.allocation(), "searched"))
        show(f"budget {budget:g}, mean T {steps:.2f}", trainer.network.eval(), data.sample_shape, options)


def show(name: str, network: Network, shape: tuple[int, ...], options: argparse.Namespace) -> None:
    """The rows of one network."""
    began = time.perf_counter()
    contents = contents_of(make_export(network, given(shape, options.frames)))
    made = time.perf_counter()
    engine = IntegerNetwork(export_of(contents))
    read = time.perf_counter()
    size = sum(map(len, contents.values())) / 1024
    print(f"\n{name}: export {made - began:.2f} s, read {read - made:.2f} s, {size:.0f} KiB")
    seconds = times(
        contenders(network, engine, samples(options.batch, shape, options.frames)), options.rounds
    )
    for contender, taken in seconds.items():
        print(f"{contender:<28} {taken * 1e3:>9.1f} ms {taken / seconds[TWIN]:>7.2f}x")


def contenders(
    network: Network, engine: IntegerNetwork, x: torch.Tensor
) -> Mapping[str, Callable[[], object]]:
    """What is timed: the twin in both formats, the trained network, the integers."""
    last = x if x.dim() > MAP_DIMS else x.to(memory_format=torch.channels_last)
    twin = float_twin(network).eval()
    twin_last = float_twin(network).eval().to(memory_format=torch.channels_last)
    return {
        TWIN: lambda: twin(x),
        "float twin, channels last": lambda: twin_last(last),
        "trained network": lambda: network(x),
        "integers": lambda: engine.logits(x),
    }


@torch.inference_mode()
def times(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, measured in turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(WARM_UP + rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if turn >= WARM_UP:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def prepared(steps: int, options: argparse.Namespace) -> Network:
    """A network whose step sizes fit, with the same bits in every layer."""
    torch.manual_seed(0)
    network = build_network(
        options.network,
        {"width": options.width},
        sample_shape=tuple(options.shape),
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
        frames=options.frames,
    )
    bits = options.bits
    for layer in network.searched.values():
        layer.freeze(LayerBits.uniform(steps=steps, spike_bits=bits, weight_bits=bits))
    with torch.no_grad():
        network(samples(64, tuple(options.shape), options.frames))
    return network.eval()


def samples(batch: int, shape: tuple[int, ...], frames: int) -> torch.Tensor:
    """[B, C, H, W], or frames [F, B, C, H, W]."""
    return torch.randn(*((frames,) if frames else ()), batch, *shape)


def given(shape: tuple[int, ...], frames: int) -> InputSpec:
    """Samples that are not scaled."""
    zeros, ones = np.zeros(shape[0], np.float32), np.ones(shape[0], np.float32)
    return InputSpec(shape=shape, frames=frames, stored="float32", limit=0, mean_C=zeros, scale_C=ones)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--network", default="resnet20", help="not with --learned")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--shape", type=int, nargs=3, default=[3, 32, 32])
    parser.add_argument("--keep-memory", action="store_true")
    parser.add_argument("--learned", type=float, nargs="+", default=[])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--train-samples", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
