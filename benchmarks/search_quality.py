"""Which method finds the best allocations? Every method on four settings, at equal compute, over seeds.

    python benchmarks/search_quality.py --home DIR                     # everything; takes long
    python benchmarks/search_quality.py --home DIR --settings digits-conv-net --seeds 0 1 2 --trials 8

Runs the searches through a service of its own on DIR (a job per setting, and with --long a second one that
gives the black-box methods that many times the compute), then writes docs/results.md with its figures. What
DIR already holds is not trained again, so an interrupted run goes on, and other seeds add to it. Options:
--settings, --seeds, --seeds-of SETTING SEED... (SETTING-long for its long runs), --methods, --trials, --long,
--long-seeds, --long-settings (all unless named), --concurrent, --split-seed (another subset and split),
--report FILE.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from results_report import Section, report
from rich.console import Console

from service.client import BitfrontClient
from service.commands.watch import follow, require_success
from service.local_service import local_service
from service.settings import Settings
from service.views import JobView

CURVE = "test-hypervolume-over-compute"
SUBJECTS = ("gradient", "gradient-front", "gradient-targets", "hybrid", "hybrid-front")
"""Methods that learn bits; each that a run names is compared with all others."""
BLACK_BOX = ("optuna-tpe", "optuna-nsga2", "random")
METHODS = (*SUBJECTS[:3], *BLACK_BOX, "evolution-warm", "uniform", "uniform-front")
BUDGETS = (2, 4, 8)
DIGITS: Mapping[str, Any] = {
    "dataset": {"name": "digits"},
    "training": {"epochs": 12, "batch_size": 32, "lr": 0.1},
}
FASHION: Mapping[str, Any] = {
    "dataset": {"name": "fashion-mnist", "train_samples": 1024},
    "training": {"epochs": 6, "batch_size": 64, "lr": 0.1},
}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "digits-conv-net": {"architecture": {"name": "conv-net"}, **DIGITS},
    "digits-resnet20": {"architecture": {"name": "resnet20", "width": 8}, **DIGITS},
    "fashion-conv-net": {"architecture": {"name": "conv-net"}, **FASHION},
    "fashion-resnet20": {"architecture": {"name": "resnet20", "width": 8}, **FASHION},
}
ARCHITECTURES: Mapping[str, Mapping[str, Any]] = {
    "fashion-architectures": {
        "architecture": {"name": "conv-net"},
        "search_space": {"width": [8, 16, 24], "kernel": [3, 5], "depth": [3, 4]},
        "budget": {"metric": "s_ace", "max": [5e6, 15e6, 45e6]},
        **FASHION,
    },
}
"""Settings for methods that search the architecture too; only run where they are named."""


def main() -> None:
    """Search, then write the report."""
    options = parse()
    console = Console()
    settings = Settings(home=options.home.resolve(), port=options.port)
    sections = []
    with local_service(settings, console) as (client, _):
        for name in options.settings:
            sections.append(section(client, name, options, console))
            report(sections, options.report, command(options))
            console.print(f"{options.report} has {len(sections)} of {len(options.settings)} settings.")


def section(client: BitfrontClient, name: str, options: argparse.Namespace, console: Console) -> Section:
    """One setting, searched to its end."""
    seeds = seeds_of(name, options.seeds, options)
    job = searched(client, job_of(name, options.methods, seeds, options.trials, options), console)
    long = None
    baselines = [method for method in options.methods if method in BLACK_BOX]
    if options.long > 1 and baselines and name in (options.long_settings or options.settings):
        trials = round(options.long * options.trials)
        long_seeds = seeds_of(f"{name}-long", options.long_seeds, options)
        spec = job_of(f"{name}-long", baselines, long_seeds, trials, options)
        long = client.comparison(searched(client, spec, console).id)
    subjects = [method for method in SUBJECTS if method in options.methods] or [None]
    return Section(
        name=name,
        spec=job.spec,
        tests=[client.comparison(job.id, subject=subject) for subject in subjects],
        validation=client.comparison(job.id, accuracy="validation"),
        figure=next(one for one in client.figures(job.id) if one.key == CURVE),
        long=long,
        times=options.long,
    )


def searched(client: BitfrontClient, spec: Mapping[str, Any], console: Console) -> JobView:
    """The job of a spec at its end: an earlier one that asked for the same, or a new one."""
    asked = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    submitted = client.submit(spec, idempotency_key=f"search-quality-{asked}")
    console.print(f"{spec['name']}: {client.url}/jobs/{submitted.id}", soft_wrap=True)
    job = follow(client, submitted.id)
    require_success(job)
    return job


def job_of(
    name: str, methods: Sequence[str], seeds: Sequence[int], trials: int, options: argparse.Namespace
) -> dict[str, Any]:
    """The job of one setting."""
    setting = {**SETTINGS, **ARCHITECTURES}[name.removesuffix("-long")]
    return {
        "budget": {"metric": "bit_budget", "max": list(BUDGETS)},
        **setting,
        "name": name,
        "dataset": {**setting["dataset"], "split_seed": options.split_seed},
        "methods": list(methods),
        "seeds": list(seeds),
        "compute": {"trials_per_study": trials, "concurrent_trials": options.concurrent},
    }


def seeds_of(name: str, usual: list[int], options: argparse.Namespace) -> list[int]:
    """The seeds of a job: those of --seeds-of, or the usual ones."""
    own = {setting: [int(seed) for seed in seeds] for setting, *seeds in options.seeds_of}
    return own.get(name, usual)


def command(options: argparse.Namespace) -> str:
    """What to type to run the same."""
    words = {
        "settings": options.settings,
        "methods": options.methods,
        "seeds": options.seeds,
        "trials": [options.trials],
        "long": [options.long],
        "long-seeds": options.long_seeds,
        **({"long-settings": options.long_settings} if options.long_settings else {}),
        "split-seed": [options.split_seed],
    }
    pairs = [*words.items(), *(("seeds-of", own) for own in options.seeds_of)]
    flags = " ".join(f"--{name} {' '.join(map(str, values))}" for name, values in pairs)
    return f"python benchmarks/search_quality.py --home DIR {flags}"


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8799)
    named = [*SETTINGS, *ARCHITECTURES]
    parser.add_argument("--settings", nargs="+", choices=named, default=list(SETTINGS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--seeds-of", nargs="+", action="append", default=[], metavar=("SETTING", "SEED"))
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--long", type=float, default=10.0)
    parser.add_argument("--long-seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--long-settings", nargs="+", choices=named, default=[])
    parser.add_argument("--concurrent", type=int, default=2)
    parser.add_argument("--split-seed", type=int, default=0)
    parser.add_argument("--report", type=Path, default=Path("docs/results.md"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
