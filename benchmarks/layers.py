"""Forward and backward of each adaptive layer of ResNet-20 beside its float twin: python benchmarks/layers.py

One row for each distinct layer (same operator, same input): milliseconds of ours, of ReLU and the same
operator, their ratio, and how often the network has it. Options: --threads, --steps, --batch, --rounds,
--channels-last.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter

import torch
from contenders import SAMPLE_SHAPE, adaptive
from torch import nn

from models.layers import AdaptiveLayer

WARM_UP = 3


def main() -> None:
    """Print the table."""
    options = parse()
    torch.set_num_threads(options.threads)
    layers = distinct(options)
    print(f"ResNet-20, T = {options.steps}, batch {options.batch}, 4/4 bits, {options.threads} threads")
    print(f"{'layer':<34} {'times':>5} {'ours ms':>8} {'twin ms':>8} {'ratio':>6}")
    for name, (layer, shape, count) in layers.items():
        ours, twins = compare(layer, shape, options)
        print(f"{name:<34} {count:>5} {ours * 1e3:>8.2f} {twins * 1e3:>8.2f} {ours / twins:>6.2f}")


def distinct(options: argparse.Namespace) -> dict[str, tuple[AdaptiveLayer, torch.Size, int]]:
    """The layers by what they compute, each with the shape of its input and how often it occurs."""
    network, seen, count = adaptive(options.steps).train(), {}, Counter()

    def record(layer: nn.Module, inputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> None:
        shape = inputs[0].shape
        name = f"{described(layer.operator)} on {'x'.join(map(str, shape[1:]))}"
        count[name] += 1
        seen.setdefault(name, (layer, shape))

    for layer in network.searched.values():
        layer.register_forward_hook(record)
    network(torch.randn(options.batch, *SAMPLE_SHAPE))
    return {name: (layer, shape, count[name]) for name, (layer, shape) in seen.items()}


def described(operator: nn.Module) -> str:
    """An operator in a few letters."""
    if isinstance(operator, nn.Linear):
        return f"linear {operator.in_features}->{operator.out_features}"
    return f"conv {operator.in_channels}->{operator.out_channels} stride {operator.stride[0]}"


def compare(layer: AdaptiveLayer, shape: torch.Size, options: argparse.Namespace) -> tuple[float, float]:
    """Median seconds of forward and backward of the layer and its twin, in turns."""
    order = torch.channels_last if options.channels_last and len(shape) == 4 else torch.contiguous_format
    x = torch.randn(shape).to(memory_format=order).requires_grad_()
    pair = (layer, nn.Sequential(nn.ReLU(), layer.operator))
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + options.rounds):
        for module, spent in zip(pair, taken, strict=True):
            began = time.perf_counter()
            out = module(x)
            out.backward(torch.ones_like(out))
            if turn >= WARM_UP:
                spent.append(time.perf_counter() - began)
    return statistics.median(taken[0]), statistics.median(taken[1])


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--channels-last", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
