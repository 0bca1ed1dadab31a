"""How much of a budget the one repair uses, by every cost: random wishes, fitted as those of a search are.

    python benchmarks/budget_use.py [--network conv-net] [--metrics s_ace bit_budget] [--wishes 100]
        [--weight 1 8] [--spike 1 6] [--steps 1 4] [--plain] [--look]

Budgets lie at 20 to 80 % of the way (by ratio) from the least to the greatest cost, on images of 1 x 28 x 28.
Prints how many fits use 99 % of theirs, the median and the least share that is used, and the milliseconds of
a fit. --plain leaves what single bits leave (models.slack is not asked). --look tells of the others how many
could with the same steps: some allocation whose widths are all within two bits of those found does. It looks
at every one of them, so that only networks of few layers end.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import product
from unittest.mock import patch

import numpy as np

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import STATIC_METRICS, LayerShape, Limit, default_scope, in_scope, limit_cost
from models.layers import LayerOptions
from models.nets import build_network, layer_table
from models.repair import fit, greatest_allocation, least_allocation, shrink
from models.slack import NEAR, used_share
from models.wish import LayerWish, Wish

IMAGE = (1, 28, 28)
WITHIN = (-2, -1, 0, 1, 2)


def main() -> None:
    """Print a row for each metric."""
    options = parse()
    bounds = Bounds(weight=tuple(options.weight), spike=tuple(options.spike), steps=tuple(options.steps))
    network = build_network(
        options.network, {}, sample_shape=IMAGE, classes=10, options=LayerOptions(), search_first_layer=False
    )
    layers = layer_table(network, IMAGE)
    with plain() if options.plain else nullcontext():
        print(f"{'metric':<11} {'used 99 %':>11} {'could':>6} {'median':>8} {'least':>8} {'ms':>7}")
        for metric in options.metrics:
            shares, could, seconds = fitted(layers, bounds, metric, options.wishes, look=options.look)
            near = sum(share >= NEAR for share in shares)
            print(
                f"{metric:<11} {f'{near} of {len(shares)}':>11} {could if options.look else '-':>6} "
                f"{statistics.median(shares):>8.2%} {min(shares):>8.2%} {1000 * seconds / len(shares):>7.1f}",
                flush=True,
            )


def plain() -> AbstractContextManager[object]:
    """Fits without the search for what single bits leave."""
    return patch("models.repair.fuller", return_value=None)


def fitted(
    layers: Sequence[LayerShape], bounds: Bounds, metric: str, count: int, *, look: bool
) -> tuple[list[float], int, float]:
    """The shares that fits use, how many of those below NEAR need not be, and the seconds of fitting."""
    draws, shares, could, seconds = np.random.default_rng(0), [], 0, 0.0
    for _ in range(count):
        wish, limit = drawn_wish(layers, bounds, draws), drawn_limit(layers, bounds, metric, draws)
        start = time.perf_counter()
        found = fit(shrink(wish, layers, bounds, [limit]), layers, bounds, [limit])
        seconds += time.perf_counter() - start
        shares.append(used_share(found, layers, [limit]))
        could += look and shares[-1] < NEAR and any_near(found, layers, bounds, limit)
    return shares, could, seconds


def drawn_wish(layers: Sequence[LayerShape], bounds: Bounds, draws: np.random.Generator) -> Wish:
    """Uniform real numbers within the bounds."""
    return {
        layer.name: LayerWish(
            steps=draws.uniform(*bounds.steps),
            spike_bits=tuple(draws.uniform(*bounds.spike) for _ in range(bounds.steps[1])),
            weight_bits=draws.uniform(*bounds.weight),
        )
        for layer in in_scope(layers, "searched")
    }


def drawn_limit(
    layers: Sequence[LayerShape], bounds: Bounds, metric: str, draws: np.random.Generator
) -> Limit:
    """A budget well inside the space."""
    probe = Limit(metric=metric, maximum=1, scope=default_scope(metric))
    least = limit_cost(probe, layers, least_allocation(layers, bounds))
    greatest = limit_cost(probe, layers, greatest_allocation(layers, bounds))
    return replace(probe, maximum=least * (greatest / least) ** draws.uniform(0.2, 0.8))


def any_near(found: Allocation, layers: Sequence[LayerShape], bounds: Bounds, limit: Limit) -> bool:
    """Whether an allocation with the same steps and nearby widths uses NEAR of the limit."""
    choices = [[(name, bits) for bits in nearby(bits, bounds)] for name, bits in found]
    return any(
        NEAR <= used_share(Allocation(layers=dict(layers_bits)), layers, [limit]) <= 1
        for layers_bits in product(*choices)
    )


def nearby(bits: LayerBits, bounds: Bounds) -> Iterator[LayerBits]:
    """Every weight width and every sum of spike widths within two bits: costs see no more of the spikes."""
    total = sum(bits.spike_bits)
    for weight, spikes in product(WITHIN, WITHIN):
        new = total + spikes
        inside = bits.steps * bounds.spike[0] <= new <= bits.steps * bounds.spike[1]
        if inside and bounds.weight[0] <= bits.weight_bits + weight <= bounds.weight[1]:
            even, rest = divmod(new, bits.steps)
            widths = tuple(even + (step < rest) for step in range(bits.steps))
            yield replace(bits, weight_bits=bits.weight_bits + weight, spike_bits=widths)


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="conv-net")
    parser.add_argument("--metrics", nargs="+", choices=STATIC_METRICS, default=list(STATIC_METRICS))
    parser.add_argument("--wishes", type=int, default=100)
    parser.add_argument("--weight", type=int, nargs=2, default=[1, 8])
    parser.add_argument("--spike", type=int, nargs=2, default=[1, 6])
    parser.add_argument("--steps", type=int, nargs=2, default=[1, 4])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--look", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
