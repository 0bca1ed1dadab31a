"""Forward and backward of each adaptive layer of ResNet-20 beside others of its shape.

    python benchmarks/layers.py

One row for each distinct layer (same operator, same input) and how often the network has it: milliseconds
of ReLU and the operator (the float twin), and how many times that our layer takes, plain torch takes, and
the layers of SpikingJelly and snnTorch (where installed), which see every input T times.
Options: --threads, --steps, --batch, --rounds, --channels-last.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from contextlib import nullcontext
from importlib.util import find_spec

import torch
from contenders import (
    NEEDS,
    PLAIN,
    SAMPLE_SHAPE,
    TWIN,
    SnnTorchNeuron,
    SpikingJellyNeuron,
    adaptive,
    reset,
    without_fused_forms,
)
from torch import nn

from models.layers import AdaptiveLayer

WARM_UP = 3


def main() -> None:
    """Print the table."""
    options = parse()
    torch.set_num_threads(options.threads)
    layers = distinct(options)
    names = list(contenders(next(iter(layers.values()))[0], options.steps))
    others = [name for name in names if name != TWIN]
    print(f"ResNet-20, T = {options.steps}, batch {options.batch}, 4/4 bits, {options.threads} threads")
    print(f"{'layer':<34} {'times':>5} {'twin ms':>8} " + " ".join(f"{name:>21}" for name in others))
    for name, (layer, shape, count) in layers.items():
        taken = compare(layer, shape, options)
        ratios = " ".join(f"{taken[other] / taken[TWIN]:>20.2f}x" for other in others)
        print(f"{name:<34} {count:>5} {taken[TWIN] * 1e3:>8.2f} {ratios}", flush=True)


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


def contenders(layer: AdaptiveLayer, steps: int) -> dict[str, nn.Module]:
    """The layer, and others around the same operator."""
    found: dict[str, nn.Module] = {"bitfront": layer, PLAIN: layer}
    found[TWIN] = nn.Sequential(nn.ReLU(), layer.operator)
    for name, neuron in (("spikingjelly", SpikingJellyNeuron), ("snntorch", SnnTorchNeuron)):
        if find_spec(NEEDS[name]) is not None:
            found[name] = nn.Sequential(neuron(steps), layer.operator)
    return found


def compare(layer: AdaptiveLayer, shape: torch.Size, options: argparse.Namespace) -> dict[str, float]:
    """Median seconds of forward and backward of each contender, in turns."""
    order = torch.channels_last if options.channels_last and len(shape) == 4 else torch.contiguous_format
    x = torch.randn(shape).to(memory_format=order)
    modules = contenders(layer, options.steps)
    taken: dict[str, list[float]] = {name: [] for name in modules}
    for turn in range(WARM_UP + options.rounds):
        for name, module in modules.items():
            spent = seconds(
                name, module, x.repeat(options.steps, *[1] * (x.dim() - 1)) if name in NEEDS else x
            )
            if turn >= WARM_UP:
                taken[name].append(spent)
    return {name: statistics.median(spent) for name, spent in taken.items()}


def seconds(name: str, module: nn.Module, x: torch.Tensor) -> float:
    """Forward and backward of one input."""
    x = x.detach().requires_grad_()
    with without_fused_forms() if name == PLAIN else nullcontext():
        began = time.perf_counter()
        reset(module)
        out = module(x)
        out.backward(torch.ones_like(out))
        return time.perf_counter() - began


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
