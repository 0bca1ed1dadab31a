"""Convolutions of bytes by Bitfront's own form and by oneDNN's, layer by layer, alone and with what follows.

    python benchmarks/convolutions.py [--threads 1] [--steps 1 4] [--batch 16] [--rounds 40]

3x3 windows of 4-bit weights over 4-bit levels. *Sums* is the convolution alone, at so many billion products a
second; *levels* ends in the levels of the neuron that reads it, of as many steps. The least of many runs:
what else a machine does only adds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch

from models.export.arithmetic import ByteOperation
from models.export.compiled_passes import passes_of
from models.export.convolution import ConvolutionOperation
from models.export.nodes import Geometry, LayerNode
from models.export.passes import Passes, TorchPasses
from models.export.pending import Pending
from models.functional.levels import levels_at
from models.memory import keep_freed_memory

LAYERS = ((16, 32), (32, 16), (64, 8), (128, 16), (256, 8), (512, 4))
"""Channels, and the side of the map."""
BITS, HEAVIEST, HIGHEST = 4, 7, 15


def main() -> None:
    """Print a row for each layer and number of steps."""
    options = parse()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    print(f"{'T':>2} {'channels':>8} {'side':>4} | sums: own, oneDNN (10^9/s) | levels: own, oneDNN (ms)")
    for steps in options.steps:
        for channels, side in LAYERS:
            show(channels, side, steps, options)


@torch.inference_mode()
def show(channels: int, side: int, steps: int, options: argparse.Namespace) -> None:
    """One row."""
    shape = (channels, channels, 3, 3)
    weights = torch.randint(-HEAVIEST, HEAVIEST + 1, shape).int()
    n = torch.randint(0, HIGHEST + 1, (steps * options.batch, channels, side, side)).to(torch.uint8)
    n = n.contiguous(memory_format=torch.channels_last)
    node = node_of(shape)
    forms: list[Any] = [ConvolutionOperation(node, weights, HIGHEST), ByteOperation(node, weights)]
    passes = passes_of_layer(channels, steps)
    pending = [Pending(passes=passes, operation=form, n=n) for form in forms]
    alone = [least(lambda form=form: form(n), options.rounds) for form in forms]
    carried = [
        least(lambda one=one: passes.carried(one, torch.uint8, keep=False), options.rounds) for one in pending
    ]
    products = steps * options.batch * side**2 * channels**2 * 9
    rates = " ".join(f"{products / seconds / 1e9:>6.0f}" for seconds in alone)
    times = " ".join(f"{seconds * 1e3:>7.3f}" for seconds in carried)
    print(f"{steps:>2} {channels:>8} {side:>4} | {rates} | {times}")


def node_of(shape: tuple[int, ...]) -> LayerNode:
    """A convolution that keeps the sides of its map."""
    return LayerNode(
        name="conv",
        op="conv",
        source="input",
        steps=1,
        spike_bits=(BITS,),
        signed=False,
        searched=True,
        weight_bits=(BITS,),
        weight_shape=shape,
        geometry=Geometry(padding=(1, 1)),
    )


def passes_of_layer(channels: int, steps: int) -> Passes:
    """Of a layer whose sums reach every level."""
    return passes_of(
        TorchPasses(
            thresholds=[1000.0 + step for step in range(steps)],
            levels=[levels_at(BITS, signed=False)] * steps,
            multiplier_TO=torch.randint(20, 40, (steps, channels)).double(),
            bias_O=torch.randint(-9, 9, (channels,)).double(),
            framed=False,
        )
    )


def least(run: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of many runs."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return min(taken)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    main()
