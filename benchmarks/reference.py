"""Time a training step of the code that the paper released: python benchmarks/reference.py DIR

DIR is your own checkout of it. It runs here, apart from our packages, because its packages have the same
names. Its ResNet-20 with 16 channels, per-layer bits 4/4, T steps, unsigned spikes, no leak, all bits
learned. Modules that it imports but does not use in a step (IPython) are replaced by empty ones. Prints JSON:
median seconds and peak MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import resource
import statistics
import sys
import time
import types
from pathlib import Path

import torch
from torch.nn import functional

UNUSED = ("IPython",)
WARM_UP = 2


def main() -> None:
    """Print the figures as one line of JSON, after whatever that code prints itself."""
    options = parse()
    torch.set_num_threads(options.threads)
    with contextlib.redirect_stdout(sys.stderr):
        model = network(options)
        found = measured(model, options)
    print(json.dumps(found))


def network(options: argparse.Namespace) -> torch.nn.Module:
    """Its ResNet-20 as its training script builds it."""
    sys.path.insert(0, str(options.folder))
    for name in UNUSED:
        sys.modules.setdefault(name, types.SimpleNamespace(embed=None))
    # Removed from torch since: the older name of saved_tensors.
    torch.autograd.function.FunctionCtx.saved_variables = property(lambda ctx: ctx.saved_tensors)
    nets = importlib.import_module("models.resnet_q")
    wrapper = importlib.import_module("models.spike_model_q")
    model = wrapper.SpikeModel_q(
        nets.resnet20_cifar_real_q(num_classes=10),
        options.steps,
        learn_spike_bit=True,
        learn_weight_bit=True,
        learn_time_step=True,
        init_spike_bit=4,
        init_weight_bit=4,
        weight_per_layer=True,
        spike_per_layer=True,
        spike_all_positive=True,
        decay=1.0,
        learn_decay=False,
    )
    model.set_spike_state(True)
    return model.train()


def measured(model: torch.nn.Module, options: argparse.Namespace) -> dict[str, float]:
    """Median seconds of a step, and how far the steps raise the resident set."""
    x_BCHW, y_B = torch.randn(options.batch, 3, 32, 32), torch.randint(10, (options.batch,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = []
    for _ in range(WARM_UP + options.rounds):
        began = time.perf_counter()
        functional.cross_entropy(model(x_BCHW), y_B).backward()
        model.zero_grad(set_to_none=True)
        taken.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": statistics.median(taken[WARM_UP:]), "mib": (peak - before) / 1024}


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
