"""The recipe of a job, as a user writes it: how every trial of every method trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from models.functional import Renewal
from search.fields import Model, Name

Loss = Literal["cross_entropy", "tet"]
Policy = Literal["none", "auto"]
Precision = Literal["float32", "bfloat16"]
MemoryFormat = Literal["auto", "contiguous", "channels_last"]


class NeuronSpec(Model):
    """The neuron of every searched layer: leak d, whether it learns, threshold shifts, signed spikes."""

    leak: float = Field(default=1.0, gt=0, le=1)
    learn_leak: bool = False
    threshold_shift: bool = False
    signed_spikes: bool = False


class AugmentSpec(Model):
    """What is done to training images: padding of a random crop, mirroring, the side of a cut-out square, a
    policy of random operations, and the alpha of mixed-up pairs; 0 leaves each out."""

    crop: int = Field(default=0, ge=0, le=64)
    flip: bool = False
    cutout: int = Field(default=0, ge=0, le=512)
    policy: Policy = "none"
    mixup: float = Field(default=0.0, ge=0, le=10)


class TetSpec(Model):
    """The loss `tet`: the share of its second term, and the constant that logits are drawn to."""

    share: float = Field(default=0.05, ge=0, le=1)
    constant: float = Field(default=1.0, gt=0, le=1_000)


class TargetWeightsSpec(Model):
    """How much each penalty of `gradient-targets` weighs beside the loss."""

    weight: float = Field(default=1.0, ge=0, le=1_000)
    spike: float = Field(default=1.0, ge=0, le=1_000)
    steps: float = Field(default=1.0, ge=0, le=1_000)


class TrainingSpec(Model):
    """The recipe that every trial of every method shares.

    `renewal_stop` and `renewal_min_epoch` are for `gradient-targets`: renewal ends once the mean bit width is
    that near to its target, as a share of its initial distance, though not before that epoch.
    """

    epochs: int = Field(default=8, ge=1, le=10_000)
    batch_size: int = Field(default=128, ge=1, le=65_536)
    lr: float = Field(default=0.1, gt=0, le=100)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0, le=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    renewal: Renewal = "search"
    renewal_stop: float = Field(default=0.24, ge=0, le=1)
    renewal_min_epoch: int = Field(default=1, ge=0, le=10_000)
    target_weights: TargetWeightsSpec = TargetWeightsSpec()
    neuron: NeuronSpec = NeuronSpec()
    loss: Loss = "cross_entropy"
    tet: TetSpec = TetSpec()
    warm_start: Name | None = None
    augment: AugmentSpec = AugmentSpec()
    precision: Precision = "float32"
    accumulate: int = Field(default=1, ge=1, le=1_024)
    memory_format: MemoryFormat = "auto"


FIRST_FIELDS = frozenset(
    {
        *("epochs", "batch_size", "lr", "momentum", "weight_decay", "label_smoothing", "renewal"),
        *("weight", "spike", "steps", "search_first_layer"),
        *("name", "train_samples", "split_seed"),
    }
)
"""The fields of recipe, bits and data set when results were first stored."""


def telling(part: Model) -> Mapping[str, Any]:
    """What a result depends on of a part of a job: a field added since counts where it leaves its default.

    So a new option changes no fingerprint of a job that does not use it.
    """
    chosen = part.model_dump(mode="json")
    defaults = {name: field.get_default() for name, field in type(part).model_fields.items()}
    return {
        name: value
        for name, value in chosen.items()
        if name in FIRST_FIELDS or getattr(part, name) != defaults[name]
    }
