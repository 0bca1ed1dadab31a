"""Training step of the adaptive network over its float twin's, in one run: python benchmarks/train_step.py

The twin is the same network with ReLU and without quantizers. The two take turns, so that a machine whose
speed drifts slows both; the medians' ratio is the figure.
Options: --threads, --steps, --batch, --rounds, --channels-last.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch.nn import functional

from models.allocation import Allocation, LayerBits
from models.layers import LayerOptions
from models.nets import build_network, float_twin

SAMPLE_SHAPE, CLASSES = (3, 32, 32), 10
WARM_UP = 3


def main() -> None:
    """Print one row for each number of steps."""
    options = parse()
    torch.set_num_threads(options.threads)
    print(f"ResNet-20, 16 channels, 3x32x32, batch {options.batch}, 4/4 bits, {options.threads} threads")
    print(f"{'T':>2} {'adaptive ms':>12} {'twin ms':>9} {'ratio':>6}")
    for steps in options.steps:
        ours, twins = compare(steps, options)
        print(f"{steps:>2} {ours * 1e3:>12.1f} {twins * 1e3:>9.1f} {ours / twins:>6.2f}")


def compare(steps: int, options: argparse.Namespace) -> tuple[float, float]:
    """Median seconds of a step of each, measured in turns."""
    network = build_network(
        "resnet20",
        {},
        sample_shape=SAMPLE_SHAPE,
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
    )
    bits = LayerBits.uniform(steps=steps, spike_bits=4, weight_bits=4)
    network.freeze(Allocation(layers=dict.fromkeys(network.searched, bits)))
    order = torch.channels_last if options.channels_last else torch.contiguous_format
    pair = [model.to(memory_format=order).train() for model in (network, float_twin(network))]
    x_BCHW = torch.randn(options.batch, *SAMPLE_SHAPE).to(memory_format=order)
    y_B = torch.randint(CLASSES, (options.batch,))
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + options.rounds):
        for model, taken in zip(pair, seconds, strict=True):
            spent = step_seconds(model, x_BCHW, y_B)
            if turn >= WARM_UP:
                taken.append(spent)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def step_seconds(model: torch.nn.Module, x_BCHW: torch.Tensor, y_B: torch.Tensor) -> float:
    """Forward and backward of one batch."""
    began = time.perf_counter()
    functional.cross_entropy(model(x_BCHW), y_B).backward()
    model.zero_grad(set_to_none=True)
    return time.perf_counter() - began


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--channels-last", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
