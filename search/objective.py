"""What a search makes as good as it can beside its cost, as one score: more is better, 0 to 1.

With K classes that the split has, n_k images of class k, r_k of them right, N = sum n_k, and p_i the
probability that the network gives to the class of image i:

    accuracy             a = sum r_k / N                 score = a
    balanced_accuracy    b = 1/K sum r_k / n_k           score = b
    loss                 L = -1/N sum ln p_i             score = exp(-L), the geometric mean of p_i

So every score grows as its objective gets better, and lies between 0 and 1 as hypervolumes need it, with 0
for a network that is worth nothing. Fronts, best points, samplers and comparisons know scores alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, assert_never

Objective = Literal["accuracy", "balanced_accuracy", "loss"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A network on one split: accuracies from 0 to 1, and the mean cross entropy in nats.

    The latter two are None where they were not measured. A loss that is no finite number is infinite.
    """

    accuracy: float
    balanced_accuracy: float | None = None
    loss: float | None = None


def score_of(objective: Objective, measured: Measured) -> float | None:
    """The score of a network, 0 to 1; None where what it takes was not measured."""
    match objective:
        case "accuracy":
            return measured.accuracy
        case "balanced_accuracy":
            return measured.balanced_accuracy
        case "loss":
            return None if measured.loss is None else math.exp(-measured.loss)
        case _:
            assert_never(objective)


def measure_name(objective: Objective) -> str:
    """What the score of an objective is called: `exp(-loss)` is a likelihood."""
    names = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "loss": "likelihood"}
    return names[objective]


def likelihood_note(objective: Objective) -> str:
    """A sentence, after a space, for whoever meets that name; empty where the name says it all."""
    if objective != "loss":
        return ""
    return " Likelihood is exp(-loss): the geometric mean of what the network gives to the right class."
