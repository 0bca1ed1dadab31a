"""What one option of a job is worth to a method: its studies with each value, paired by seed.

    python benchmarks/variants.py --vary bits.steps_gradient divisor difference
        [--settings fashion-resnet20] [--method gradient-front] [--seeds 0 1 2 3 4] [--trials 6]
        [--set OPTION VALUE] [--data data]

Options are paths into the job, `bits.initial.steps` for one, and values are JSON where they can be read so;
--set sets one for every study. `--vary methods '["gradient-front"]' '["random"]'` compares methods. The
settings and budgets are those of search_quality.py; a study is trained here, on one thread, without a
service. Prints the hypervolume of every study (validation chooses, both splits are read) with the steps of
its cheapest point's layers, then the mean difference from the first value, with its 95 % interval. For
methods whose study is one round: gradient, gradient-front, gradient-targets, random, uniform, uniform-front.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from search_quality import BUDGETS, SETTINGS

from search.comparison.attained import Accuracy, Found, history
from search.comparison.intervals import mean_interval
from search.job import JobSpec
from search.strategies.registry import make_strategy
from search.strategy import Proposal, proposal_to_json
from workers.planning import plan_job, study_context
from workers.report import PointResult, TrialRequest
from workers.trial import run_trial


def main() -> None:
    """Print a block for each setting."""
    options = parse()
    name, *values = options.vary
    for setting in options.settings:
        method = "" if name == "methods" else f"{options.method}, "
        print(f"\n{setting}, {method}{options.trials} trials, {name}")
        found: dict[str, list[tuple[float, float]]] = {value: [] for value in values}
        for seed in options.seeds:
            for value in values:
                found[value].append(study(setting, name, value, seed, options))
        for value in values[1:]:
            for place, split in enumerate(("validation", "test")):
                told = difference(
                    [pair[place] for pair in found[value]], [pair[place] for pair in found[values[0]]]
                )
                print(f"{value} above {values[0]}, {split}: {told}", flush=True)


def study(
    setting: str, option: str, value: str, seed: int, options: argparse.Namespace
) -> tuple[float, float]:
    """The hypervolume of one study by validation and by test accuracy."""
    spec = job(setting, option, value, seed, options)
    plan = plan_job(spec, options.data)
    strategy = make_strategy(spec.methods[0], study_context(spec, plan, seed))
    points = [point for proposal in strategy.ask() for point in trained(spec, proposal, seed, options.data)]
    validation, test = (hypervolume(points, spec, split) for split in ("validation", "test"))
    cheapest = min(points, key=cost_of)
    steps = [layer["steps"] for layer in cheapest.allocation.values()]
    print(
        f"{value:<12} seed {seed:>2}: validation {validation:.2%}, test {test:.2%}, "
        f"mean T {statistics.mean(steps):.2f} {steps}",
        flush=True,
    )
    return validation, test


def trained(spec: JobSpec, proposal: Proposal, seed: int, data: Path) -> Iterator[PointResult]:
    """The points of a proposal."""
    request = TrialRequest(trial_id="a", spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=seed)
    with TemporaryDirectory() as folder:
        outcome = run_trial(
            request, checkpoints=Path(folder), data_folder=data, threads=1, report=lambda _: None
        )
    yield from outcome.points


def hypervolume(points: list[PointResult], spec: JobSpec, accuracy: Accuracy) -> float:
    """Of the points that were found, as comparisons have it."""
    found = [
        Found(samples=0, cost=cost_of(point), score=point.validation_accuracy, test_score=point.test_accuracy)
        for point in points
    ]
    return history(found, sorted(spec.budget.max), accuracy)[-1].hypervolume


def cost_of(point: PointResult) -> float:
    """Its bit budget."""
    return point.costs["searched"]["bit_budget"]


def difference(ours: list[float], theirs: list[float]) -> str:
    """The mean difference in points, with its interval."""
    interval = mean_interval([100 * (one - other) for one, other in zip(ours, theirs, strict=True)])
    if interval is None or interval.low is None or interval.high is None:
        return "one seed" if interval is None else f"{interval.value:+.2f} points, one seed"
    return (
        f"{interval.value:+.2f} points ({interval.low:+.2f} to {interval.high:+.2f}), {interval.seeds} seeds"
    )


def job(setting: str, option: str, value: str, seed: int, options: argparse.Namespace) -> JobSpec:
    """The job of one study."""
    spec: dict[str, Any] = {
        **SETTINGS[setting],
        "name": "variants",
        "budget": {"max": list(BUDGETS)},
        "methods": [options.method],
        "seeds": [seed],
        "compute": {"trials_per_study": options.trials},
    }
    for name, given in (*options.set, (option, value)):
        put(spec, name, given)
    return JobSpec.model_validate(spec)


def put(spec: dict[str, Any], option: str, value: Any) -> None:
    """Set an option by its path."""
    with suppress(ValueError):
        value = json.loads(value)
    *path, last = option.split(".")
    for name in path:
        spec[name] = dict(spec.get(name, {}))
        spec = spec[name]
    spec[last] = value


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vary", nargs="+", required=True, metavar=("OPTION", "VALUE"))
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=["fashion-resnet20"])
    parser.add_argument("--method", default="gradient-front")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OPTION", "VALUE"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
