"""How long fronts and hypervolumes of 100,000 points take: python benchmarks/pareto.py [--points N]

Random points, every one different; the median of 11 rounds in milliseconds. The aim is 50 ms for a front.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from search.attainment import attainment_front
from search.pareto import hypervolume, insert, is_on_front, joint_hypervolume

ROUNDS, SEEDS = 11, 5


def main() -> None:
    """Print one row for each function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    count = parser.parse_args().points
    random = np.random.default_rng(0)
    cost, other = random.uniform(1, 16, count), random.uniform(1, 16, count)
    accuracy = np.clip(1 - 0.3 / cost + random.normal(0, 0.05, count), 0, 1)
    front = [(float(c), float(a)) for c, a in zip(cost, accuracy, strict=True)][:2_000]
    seeds = [front[place::SEEDS] for place in range(SEEDS)]
    for name, run in (
        (f"front of {count:,}", lambda: is_on_front(cost, accuracy)),
        (f"hypervolume of {count:,}", lambda: hypervolume(cost, accuracy, 16.0)),
        (
            f"joint hypervolume of {count:,}, two costs",
            lambda: joint_hypervolume(np.column_stack((cost, other)), accuracy, (16.0, 16.0)),
        ),
        ("2,000 points inserted one by one", lambda: inserted(front)),
        ("attainment of 5 seeds of 400 points", lambda: attainment_front(seeds, 0.5)),
    ):
        print(f"{name:<44} {median_ms(run):>8.2f} ms")


def inserted(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Their front, grown a point at a time."""
    grown: list[tuple[float, float]] = []
    for point in points:
        grown = insert(grown, point)
    return grown


def median_ms(run: Callable[[], object]) -> float:
    """The median time of a call."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return 1_000 * statistics.median(taken)


if __name__ == "__main__":
    main()
