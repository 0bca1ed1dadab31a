"""The recipe that every trial of every method shares: optimisers and learning rates.

Weights: SGD with Nesterov momentum and weight decay. Step sizes, leaks and threshold shifts: the same SGD
without decay. Bit widths and steps (only while they are learned): Adam under a budget, since their gradients
differ by orders of magnitude between layers; SGD with momentum and a cosine of its own towards targets, as in
the paper.

    weight lr at step n of N:  lr * min(1, (n + 1) / W) * (1 + cos(pi n / N)) / 2,   W = WARM_UP * N
    step sizes: each changes by at most the factor 1 +- STEP_SIZE_REACH in one step; an 8-bit step size is so
              small that one large gradient would carry it through zero, and its layer would never recover
    bits lr:  max(BITS_LR, TRAVEL / L) for L bit-learning steps, so that short trainings can cross TRAVEL bits
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from models.nets import Network
from search.recipe import TrainingSpec

WARM_UP = 0.05
BITS_LR = 0.03
TRAVEL = 6.0
STEP_SIZE_LR = 0.1
NEURON_LR = 0.1
STEP_SIZE_REACH = 0.1
LEARNING_SHARE = 0.5
"""The share of a LearnBits training in which bits are learned; then they are frozen and fine-tuned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """The steps of a stage: all of them, those in which bits are learned, and the training's before it."""

    steps: int
    learning_steps: int
    first_step: int = 0


def schedule(epochs: int, steps_per_epoch: int, *, learns_bits: bool, first_step: int = 0) -> Schedule:
    """The schedule of a stage; one that learns bits always has at least one step to do so."""
    steps = epochs * steps_per_epoch
    learning_steps = max(1, int(LEARNING_SHARE * steps)) if learns_bits else 0
    return Schedule(steps=steps, learning_steps=learning_steps, first_step=first_step)


def weight_optimiser(network: Network, recipe: TrainingSpec) -> torch.optim.SGD:
    """SGD over weights and step sizes; its rates are set before every step by `set_rate`."""
    kernels, rest = _by_dimension(network)
    groups = [
        {"params": kernels, "weight_decay": recipe.weight_decay, "rate": 1.0},
        {"params": rest, "weight_decay": 0.0, "rate": 1.0},
        {"params": list(network.step_size_parameters()), "weight_decay": 0.0, "rate": STEP_SIZE_LR},
        {"params": list(network.neuron_parameters()), "weight_decay": 0.0, "rate": NEURON_LR},
    ]
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0)


def bit_adam(network: Network, plan: Schedule) -> torch.optim.Adam:
    """Adam over bit widths and steps, for a budget."""
    return torch.optim.Adam(list(network.bit_parameters()), lr=max(BITS_LR, TRAVEL / plan.learning_steps))


def bit_sgd(network: Network, recipe: TrainingSpec) -> torch.optim.SGD:
    """SGD over bit widths and steps, for targets; its rate is set before every step."""
    return torch.optim.SGD(list(network.bit_parameters()), lr=recipe.lr, momentum=recipe.momentum)


def set_rate(
    optimiser: torch.optim.Optimizer, recipe: TrainingSpec, step: int, steps: int, peak: float = 1.0
) -> float:
    """Set the learning rate of a step of a cycle of some steps, and return that of the weights."""
    warm = min(1.0, (step + 1) / max(1.0, WARM_UP * steps))
    rate = peak * recipe.lr * warm * (1 + math.cos(math.pi * step / steps)) / 2
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate"]
    return rate


@torch.no_grad()
def bounded_step(optimiser: torch.optim.Optimizer, step_sizes: Sequence[torch.Tensor]) -> None:
    """One optimiser step in which no step size moves further than its reach."""
    if not step_sizes:  # a float twin has none
        optimiser.step()
        return
    moved = list(step_sizes)
    least = list(torch._foreach_mul(moved, 1 - STEP_SIZE_REACH))
    most = list(torch._foreach_mul(moved, 1 + STEP_SIZE_REACH))
    optimiser.step()
    torch._foreach_maximum_(moved, least)
    torch._foreach_minimum_(moved, most)


def flat_state(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's tensors by `<parameter number>.<name>`, for a checkpoint."""
    return {
        f"{number}.{name}": value
        for number, entries in optimiser.state_dict()["state"].items()
        for name, value in entries.items()
        if isinstance(value, torch.Tensor)
    }


def restore_state(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """The inverse of `flat_state`; the groups stay as they were built."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _by_dimension(network: Network) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Kernels and matrices decay; biases and normalisation do not."""
    parameters = list(network.weight_parameters())
    return [p for p in parameters if p.dim() > 1], [p for p in parameters if p.dim() <= 1]
