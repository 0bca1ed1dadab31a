"""Find the layers of a module that can be adapted, in the order in which they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from models.errors import InvalidInputError
from models.layers import Operator, SpikingLayer

ADAPTABLE = (nn.Conv1d, nn.Conv2d, nn.Linear)
UNSUPPORTED: Mapping[type[Any], str] = {
    SpikingLayer: "Give the module before it was adapted.",
    nn.MultiheadAttention: "Write its projections as Linear layers.",
    nn.RNNBase: "Write it as Linear layers.",
    nn.RNNCellBase: "Write it as Linear layers.",
    nn.Bilinear: "Write it as Linear layers.",
    nn.Embedding: "Write it as a Linear layer on one-hot vectors.",
    nn.EmbeddingBag: "Write it as a Linear layer on one-hot vectors.",
    nn.ConvTranspose1d: "Use an upsampling module and a Conv1d.",
    nn.ConvTranspose2d: "Use an upsampling module and a Conv2d.",
    nn.ConvTranspose3d: "Use maps of two dimensions.",
    nn.Conv3d: "Use maps of two dimensions; frames come from the data set.",
    nn.modules.lazy.LazyModuleMixin: "Run the module once before it is adapted.",
}
"""Modules with weights that would stay in full precision, and what to do instead."""


def traced_layers(module: nn.Module, sample_shape: tuple[int, int, int]) -> Mapping[str, Operator]:
    """The convolutions and linear layers by dotted name, in the order in which they run.

    Runs the module once on zeros [1, C, H, W] and leaves its mode and statistics as they were. Raises
    InvalidInputError that names the submodule.
    """
    for name, part in module.named_modules(remove_duplicate=False):
        _check_kind(name, part)
    layers = _unshared(module)
    runs = _runs(module, layers, sample_shape)
    for name in layers:
        _check_runs(name, runs[name])
    return {name: layers[name] for name in runs}


def _check_kind(name: str, part: nn.Module) -> None:
    for kind, fix in UNSUPPORTED.items():
        if isinstance(part, kind):
            raise _refused(name, f"is a {type(part).__name__}, which cannot be adapted", fix)
    if not isinstance(part, ADAPTABLE):
        return
    known = next(kind for kind in ADAPTABLE if isinstance(part, kind))
    if type(part).forward is not known.forward:
        raise _refused(name, "has a forward of its own", f"Use a plain {known.__name__}.")
    if not isinstance(part, nn.Linear) and part.padding_mode != "zeros":
        raise _refused(name, f"pads with {part.padding_mode!r}", "Use a padding module before it.")


def _unshared(module: nn.Module) -> dict[str, Operator]:
    """The layers by name. Raises InvalidInputError where two names stand for one layer or one weight."""
    layers: dict[str, Operator] = {}
    owners: dict[int, str] = {}
    for name, part in module.named_modules(remove_duplicate=False):
        if not isinstance(part, ADAPTABLE):
            continue
        owner = owners.setdefault(id(part.weight), name)
        if owner != name:
            raise _refused(name, f"shares its weight with {_public(owner)}", "Give each layer its own.")
        layers[name] = part
    if not layers:
        raise InvalidInputError(
            "the module has no layer to adapt.", fix="Use Conv1d, Conv2d or Linear layers."
        )
    return layers


def _runs(
    module: nn.Module, layers: Mapping[str, Operator], sample_shape: tuple[int, int, int]
) -> Counter[str]:
    """How often each layer runs, in the order of the first runs."""
    runs: Counter[str] = Counter()

    def note(name: str) -> Any:
        return lambda *_: runs.update([name])

    handles = [layer.register_forward_pre_hook(note(name)) for name, layer in layers.items()]
    modes = {part: part.training for part in module.modules()}
    try:
        with torch.no_grad():
            output = module.eval()(torch.zeros(1, *sample_shape))
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes.items():
            part.training = training
    if not isinstance(output, torch.Tensor) or output.dim() != 2:
        raise InvalidInputError(
            "the module gives no logits [B, K] for a sample.", fix="Flatten or pool before the last layer."
        )
    return runs


def _check_runs(name: str, runs: int) -> None:
    if runs == 0:
        raise _refused(name, "is never run", "Remove it, or use it in forward.")
    if runs > 1:
        raise _refused(name, f"runs {runs} times in one pass", "Give each use a layer of its own.")


def _refused(name: str, what: str, fix: str) -> InvalidInputError:
    return InvalidInputError(f"{_public(name)} {what}.", fix=fix)


def _public(name: str) -> str:
    """The user's own name of a submodule; `adapt` has put the module into a Sequential."""
    return name.partition(".")[2] or "the module"
