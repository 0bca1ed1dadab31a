"""The metadata of a NIR graph and its nodes, and what NIR itself does not say of a network."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from models.export.formats.real import RealNetwork, Unexpressed, annotation
from models.export.lower_layers import LayerReals
from models.export.nodes import AddNode, LayerNode

FORMAT, VERSION = "bitfront-nir", 1
KEPT = "in the metadata of its nodes"
OF_WEIGHTS = ("weight_bits", "weight_step_sizes", "gains")
GENERAL = {
    "rounding": "a neuron of Bitfront fires the level nearest to u / V, from V / 2 on; IF fires beyond V",
    "reset by subtraction": "a neuron of Bitfront keeps u - s; IF goes back to v_reset",
    "steps of a layer": "each layer runs its own steps on one average input and gives the mean of its spikes",
}


def neuron_notes(node: LayerNode, reals: LayerReals) -> dict[str, Any]:
    """The part of a layer's annotation that is about its spikes."""
    return {name: one for name, one in _notes(node, reals).items() if name not in OF_WEIGHTS}


def operator_notes(node: LayerNode, reals: LayerReals) -> dict[str, Any]:
    """The part that is about its weights, and its biases in full precision."""
    notes = _notes(node, reals)
    return {name: notes[name] for name in ("layer", *OF_WEIGHTS)} | {"biases": reals.bias_O}


def _notes(node: LayerNode, reals: LayerReals) -> dict[str, Any]:
    found = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in annotation(node, reals).items()
    }
    return {"layer": node.name, **found}


def network_notes(network: RealNetwork) -> dict[str, Any]:
    """What belongs to no node: how samples are scaled, their frames, and the names of sums."""
    sums = [[node.name, node.branch, node.shortcut] for node in network.nodes if isinstance(node, AddNode)]
    facts = {name: str(network.facts[name]) for name in ("point", "job") if name in network.facts}
    return {
        "format": FORMAT,
        "version": VERSION,
        "frames": network.input.frames,
        "stored": network.input.stored,
        "mean": network.input.mean_C,
        "scale": network.input.scale_C,
        "order": json.dumps([node.name for node in network.nodes]),
        "sums": json.dumps(sums),
        **facts,
    }


def unexpressed(network: RealNetwork) -> list[Unexpressed]:
    """What a reader of NIR does not see unless it reads the metadata."""
    found = [Unexpressed(layer="", what=what, instead=instead) for what, instead in GENERAL.items()]
    scaling = "samples are scaled before the input: (unit - mean) / scale of the graph's metadata"
    found.append(Unexpressed(layer="", what="scaling of the input", instead=scaling))
    if network.framed:
        frames = "layers average or hold frames to their own steps; frames is in the graph's metadata"
        found.append(Unexpressed(layer="", what="frames", instead=frames))
    for node in network.layers:
        found += _of_layer(node, network.reals[node.name])
    return found


def _of_layer(node: LayerNode, reals: LayerReals) -> list[Unexpressed]:
    found = []
    if node.signed:
        found.append(_kept(node, "a signed quantizer", "a Scale by 1, its bits and step sizes"))
    elif set(node.spike_bits) != {1}:
        found.append(_kept(node, f"spikes of {_listed(node.spike_bits)} bits", "binary spikes of an IF"))
    if not node.signed and len(set(reals.threshold_T.tolist())) > 1:
        found.append(_kept(node, "a threshold for each step", "their mean"))
    if reals.levels is not None:
        found.append(
            _kept(node, f"weights of {_listed(node.weight_bits)} bits", "the same values as float32")
        )
        if (reals.gain_O == 0).any():
            lost = "weights of 0; their levels are in the integer export alone"
            found.append(Unexpressed(layer=node.name, what="channels whose norm has gain 0", instead=lost))
    return found


def _kept(node: LayerNode, what: str, instead: str) -> Unexpressed:
    return Unexpressed(layer=node.name, what=what, instead=f"{instead}; {KEPT}")


def _listed(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, sorted(set(widths))))
