"""Time a training step of the code that the paper released: python benchmarks/reference.py DIR

DIR is your own checkout of it. It runs here, apart from our packages, because its packages have the same
names. Its ResNet-20 with 16 channels, per-layer bits 4/4, T steps, unsigned spikes, no leak, all bits
learned; its first layer stays at its fixed 8/8 bits, as ours does. The step is train_step.py's: forward and
backward of the cross-entropy, no optimizer. IPython, which it imports and never calls, is replaced by an
empty module where it is missing. Prints JSON: median seconds and peak MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import statistics
import sys
import time
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import torch
from torch.nn import functional

PACKAGE, UNUSED = "models", "IPython"
WARM_UP, KIB_PER_MIB = 2, 1024


def main() -> None:
    """Print the figures as one line of JSON, without the lines that every layer of that code prints."""
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    with contextlib.redirect_stdout(io.StringIO()):
        model = network(options)
        found = measured(model, options)
    print(json.dumps(found))


def network(options: argparse.Namespace) -> torch.nn.Module:
    """Its ResNet-20 as its training script builds it."""
    open_package(options.folder)
    nets = importlib.import_module(f"{PACKAGE}.resnet_q")
    wrapper = importlib.import_module(f"{PACKAGE}.spike_model_q")
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


def open_package(folder: Path) -> None:
    """Make its modules importable without its package's own __init__.

    That one imports every network of the paper, and with them a library for delays that its requirements do
    not list. None of it is on the path of this network.
    """
    package = ModuleSpec(PACKAGE, None, is_package=True)
    package.submodule_search_locations = [str(folder / PACKAGE)]
    sys.modules[PACKAGE] = module_from_spec(package)
    if find_spec(UNUSED) is None:
        sys.modules[UNUSED] = module_from_spec(ModuleSpec(UNUSED, None))
        sys.modules[UNUSED].embed = None


def measured(model: torch.nn.Module, options: argparse.Namespace) -> dict[str, float]:
    """Median seconds of a step, and how far the steps raise the resident set."""
    x_BCHW, y_B = torch.randn(options.batch, 3, 32, 32), torch.randint(10, (options.batch,))
    before = peak_mib()
    taken = []
    for _ in range(WARM_UP + options.rounds):
        began = time.perf_counter()
        functional.cross_entropy(model(x_BCHW), y_B).backward()
        model.zero_grad(set_to_none=True)
        taken.append(time.perf_counter() - began)
    return {"seconds": statistics.median(taken[WARM_UP:]), "mib": peak_mib() - before}


def peak_mib() -> float:
    """The largest resident set so far, in MiB: Linux's own figure, as getrusage's starts at our parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / KIB_PER_MIB


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
    options = parser.parse_args()
    if not (options.folder / PACKAGE / "spike_model_q.py").is_file():
        parser.error(f"{options.folder} is not a checkout of the paper's code: no {PACKAGE}/spike_model_q.py")
    return options


if __name__ == "__main__":
    main()
