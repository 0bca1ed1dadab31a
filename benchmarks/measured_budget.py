"""How much of a budget on a measured cost a training uses that learns its bits.

    python benchmarks/measured_budget.py [--threads 1] [--metrics ns_ace sops] [--shares 0.01 0.03 0.06]

Trains networks on digits under limits that lie at a share of the way from the least to the greatest cost, at
reference rates 1. `used` is the measured cost over the limit; `foreseen` what the same allocation costs at
reference rates, over the limit: above 1 it would not have been allowed by them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from models.allocation import Allocation
from models.cost import limit_cost
from search.job import JobSpec
from search.strategy import LearnBits, proposal_to_json
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import run_trial

NETWORKS = (({"name": "resnet20", "width": 4}, 4), ({"name": "conv-net", "width": 16}, 8))
"""Architectures and the epochs that they train for."""


def main() -> None:
    """Print a row for each training."""
    options = parse()
    print(f"{'network':<10} {'metric':<7} {'share':>6} {'used':>8} {'foreseen':>9} {'validation':>11}")
    for architecture, epochs in NETWORKS:
        for metric in options.metrics:
            for share in options.shares:
                with TemporaryDirectory() as folder:
                    show(job(architecture, metric, epochs), share, Path(folder), options.threads)


def show(spec: JobSpec, share: float, folder: Path, threads: int) -> None:
    """Train under the limit at a share, and print the row."""
    plan, metric = plan_job(spec, folder), spec.budget.metric
    least, greatest = plan.cost_ranges[metric]
    limit = spec.limit(metric, least + share * (greatest - least))
    proposal = proposal_to_json(LearnBits(budget=limit, note={}))
    request = TrialRequest(trial_id="a", spec=spec.to_json(), proposal=proposal, seed=0)
    outcome = run_trial(
        request, checkpoints=folder, data_folder=folder, threads=threads, report=lambda _: None
    )
    (point,) = outcome.points
    used = point.costs[limit.scope][metric] / limit.maximum
    foreseen = limit_cost(limit, plan.layers, Allocation.from_json(point.allocation)) / limit.maximum
    accuracy = point.validation_accuracy
    name = spec.architecture.name
    print(f"{name:<10} {metric:<7} {share:>6g} {used:>8.1%} {foreseen:>8.2f}x {accuracy:>11.1%}", flush=True)


def job(architecture: dict[str, object], metric: str, epochs: int) -> JobSpec:
    """The job whose recipe is trained."""
    return JobSpec.model_validate(
        {
            "name": "measured-budget",
            "architecture": architecture,
            "dataset": {"name": "digits"},
            "budget": {"metric": metric, "max": [1e12]},
            "training": {"epochs": epochs, "batch_size": 64},
        }
    )


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--metrics", nargs="+", default=["ns_ace", "sops"])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.03, 0.06])
    return parser.parse_args()


if __name__ == "__main__":
    main()
