"""Evaluation in batches of several sizes: seconds for 1,024 samples, on ResNet-20 with 16 channels.

    python benchmarks/evaluation.py [--threads 2] [--shape 3 32 32] [--batches 32 64 128 256 512] [--rounds 6]

The sizes take turns, so that a machine whose speed drifts slows all of them; medians are the figures.
--keep-memory lets the process keep what is freed, as trials do.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from models.layers import LayerOptions
from models.memory import keep_freed_memory
from models.nets import Network, build_network

SAMPLES, CLASSES, STARTED_ON = 1024, 10, 64


def main() -> None:
    """Print a row for each size."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.keep_memory:
        keep_freed_memory()
    torch.manual_seed(0)
    x = torch.randn(SAMPLES, *options.shape)
    network = prepared(x[:STARTED_ON])
    taken: dict[int, list[float]] = {size: [] for size in options.batches}
    with torch.inference_mode():
        for _ in range(options.rounds):
            for size, seconds in taken.items():
                seconds.append(timed(network, x, size))
    for size, seconds in taken.items():
        print(f"batches of {size:>4}: {statistics.median(seconds):>6.2f} s for {SAMPLES} samples")


def timed(network: Network, x: torch.Tensor, size: int) -> float:
    """Seconds of one pass."""
    began = time.perf_counter()
    for part in x.split(size):
        network(part)
    return time.perf_counter() - began


def prepared(x: torch.Tensor) -> Network:
    """A network in evaluation mode whose step sizes have seen samples."""
    shape = (x.shape[1], x.shape[2], x.shape[3])
    network = build_network(
        "resnet20",
        {},
        sample_shape=shape,
        classes=CLASSES,
        options=LayerOptions(),
        search_first_layer=False,
    )
    with torch.no_grad():
        network(x)
    return network.eval()


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shape", type=int, nargs=3, default=[3, 32, 32])
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 64, 128, 256, 512])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--keep-memory", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
