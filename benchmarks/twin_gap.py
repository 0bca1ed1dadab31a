"""How much accuracy bits cost: learned allocations beside the float twin, trained with one recipe.

    python benchmarks/twin_gap.py --budgets 8 4

Trains the float twin (ReLU for neurons, no quantizers) and one ResNet-20 per budget on Fashion-MNIST with
the same trainer, data order, epochs and seed, and prints test accuracies and their differences in points.
Test accuracy is measured once, at the end. Options: --dataset, --data, --train-samples, --epochs, --batch,
--lr, --width, --threads, --seed, --budgets, --twin-accuracy (a twin measured before, in place of training
one), --keep-memory (keep what is freed, as trials do).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from models.allocation import Allocation
from models.cost import Limit, limit_cost
from models.memory import keep_freed_memory
from models.nets import Network, build_network, float_twin, layer_table
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, Proposal
from workers.data import Splits, load_splits
from workers.descent import stages_of
from workers.evaluation import accuracy
from workers.placement import placement_of
from workers.training import Trainer

TWIN = FixedBits(allocation=Allocation(layers={}), note={})


def main() -> None:
    """Print one row for each training."""
    options = parse()
    torch.set_num_threads(options.threads)
    if options.keep_memory:
        keep_freed_memory()
    data = load_splits(
        options.dataset, folder=options.data, train_samples=options.train_samples, split_seed=0
    )
    print(f"{'network':<12} {'cost':>6} {'validation':>10} {'test':>7} {'gap':>7} {'minutes':>8}")
    twin = options.twin_accuracy
    if twin is None:
        twin = row("float twin", TWIN, data, options, None)
    for budget in options.budgets:
        limit = Limit(metric="bit_budget", maximum=budget)
        row(f"budget {budget:g}", LearnBits(budget=limit, note={}), data, options, twin)


def row(
    name: str, proposal: Proposal, data: Splits, options: argparse.Namespace, twin: float | None
) -> float:
    """Train one network, print its row and return its test accuracy."""
    began = time.perf_counter()
    trainer = train(proposal, data, options)
    network = trainer.network
    test = accuracy(network, data.test)
    cost = f"{limit_cost(proposal.budget, trainer.layers, network.allocation()):.2f}" if twin else "-"
    gap = f"{(test - twin) * 100:+.2f}" if twin else "-"
    minutes = (time.perf_counter() - began) / 60
    validation = accuracy(network, data.validation)
    print(f"{name:<12} {cost:>6} {validation:>10.4f} {test:>7.4f} {gap:>7} {minutes:>8.1f}", flush=True)
    if twin:
        for layer, bits in network.allocation():
            print(f"#   {layer}: {bits.steps} steps, spikes {bits.spike_bits}, weights {bits.weight_bits}")
    return test


def train(proposal: Proposal, data: Splits, options: argparse.Namespace) -> Trainer:
    """The trainer of a proposal after its last epoch."""
    torch.manual_seed(options.seed)
    spec = job(options)
    network = build_network(
        "resnet20",
        {"width": options.width},
        sample_shape=data.sample_shape,
        classes=data.classes,
        options=spec.layer_options(temporal=False),
        search_first_layer=False,
    )
    if proposal is TWIN:
        network = Network(float_twin(network))
    trainer = Trainer(
        spec=spec,
        network=network,
        layers=layer_table(network, data.sample_shape),
        data=data,
        seed=options.seed,
        stages=stages_of(proposal, spec),
        bounds=spec.bits.bounds(),
        placement=placement_of(spec, network),
    )
    progress = trainer.start()
    while progress.epoch < spec.training.epochs:
        progress, sums = trainer.run_epoch(progress)
        print(
            f"# epoch {progress.epoch}: loss {sums.loss:.4f}, waited {sums.data_wait_share:.1%}", flush=True
        )
    return trainer


def job(options: argparse.Namespace) -> JobSpec:
    """The job whose recipe is trained."""
    return JobSpec.model_validate(
        {
            "name": "twin-gap",
            "architecture": {"name": "resnet20", "width": options.width},
            "dataset": {"name": options.dataset},
            "budget": {"max": options.budgets},
            "training": {"epochs": options.epochs, "batch_size": options.batch, "lr": options.lr},
            "compute": {"cpus_per_trial": options.threads},
        }
    )


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--train-samples", type=int)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budgets", type=float, nargs="+", default=[8.0, 4.0])
    parser.add_argument("--twin-accuracy", type=float)
    parser.add_argument("--keep-memory", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
