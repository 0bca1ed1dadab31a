"""The integer export of ResNet-20: seconds to make and read it, and its engine beside the float twin.

    python benchmarks/export.py [--threads 2] [--steps 1 2 4] [--bits 4] [--batch 128] [--rounds 9]

ResNet-20, 16 channels, 3x32x32. The contenders take turns, so that a machine whose speed drifts slows all of
them; medians and their ratios to the float twin are the figures. The twin runs in both memory formats.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from models.allocation import LayerBits
from models.export import InputSpec, IntegerNetwork, contents_of, export_of, make_export
from models.layers import LayerOptions
from models.nets import Network, build_network, float_twin

SAMPLE_SHAPE, CLASSES, WARM_UP = (3, 32, 32), 10, 2
TWIN = "float twin"


def main() -> None:
    """Print a table for each number of steps."""
    options = parse()
    torch.set_num_threads(options.threads)
    print(f"ResNet-20, batch {options.batch}, {options.bits}/{options.bits} bits, {options.threads} threads")
    for steps in options.steps:
        show(steps, options)


def show(steps: int, options: argparse.Namespace) -> None:
    """The rows of one T."""
    network = prepared(steps, options.bits)
    began = time.perf_counter()
    contents = contents_of(make_export(network, given()))
    made = time.perf_counter()
    engine = IntegerNetwork(export_of(contents))
    read = time.perf_counter()
    size = sum(map(len, contents.values())) / 1024
    print(f"\nT = {steps}: export {made - began:.2f} s, read {read - made:.2f} s, {size:.0f} KiB")
    seconds = times(contenders(network, engine, options.batch), options.rounds)
    for name, taken in seconds.items():
        print(f"{name:<28} {taken * 1e3:>9.1f} ms {taken / seconds[TWIN]:>7.2f}x")


def contenders(network: Network, engine: IntegerNetwork, batch: int) -> Mapping[str, Callable[[], object]]:
    """What is timed: the twin in both formats, the trained network, the integers."""
    torch.manual_seed(0)
    x = torch.randn(batch, *SAMPLE_SHAPE)
    last = x.to(memory_format=torch.channels_last)
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


def prepared(steps: int, bits: int) -> Network:
    """A network whose step sizes fit, with the same bits in every layer."""
    torch.manual_seed(0)
    network = build_network(
        "resnet20",
        {},
        sample_shape=SAMPLE_SHAPE,
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
    )
    for layer in network.searched.values():
        layer.freeze(LayerBits.uniform(steps=steps, spike_bits=bits, weight_bits=bits))
    with torch.no_grad():
        network(torch.randn(64, *SAMPLE_SHAPE))
    return network.eval()


def given() -> InputSpec:
    """Samples that are not scaled."""
    zeros, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    return InputSpec(shape=SAMPLE_SHAPE, frames=0, stored="float32", limit=0, mean_C=zeros, scale_C=ones)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    main()
