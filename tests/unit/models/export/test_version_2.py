"""What version 2 of the format adds: leaks, threshold shifts and attention, and hostile files of it."""

from __future__ import annotations

import json
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from models.errors import ExportDamagedError
from models.export import contents_of, export_of
from models.export.attention import attended, mixed, regrouped, terms_of
from models.export.files import MANIFEST, SUMS, TENSORS, sums_of
from models.export.fixed_point import leaked
from models.export.nodes import LEAK_BITS, NO_LEAK
from models.functional import regroup

SPIKFORMER = {"width": 8, "heads": 2, "depth": 1}
FACTORS = st.lists(st.fractions(-2, 2, max_denominator=9), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def attention(make, export_of_network):
    """A whole export with attention."""
    return contents_of(export_of_network(make("spikformer", SPIKFORMER)))


def changed(contents, change):
    """The files with the node that does attention changed, and hashes that fit."""
    manifest = json.loads(contents[MANIFEST])
    (node,) = [node for node in manifest["nodes"] if node["op"] == "attention"]
    change(manifest, node)
    files = {MANIFEST: json.dumps(manifest).encode(), TENSORS: contents[TENSORS]}
    return files | {SUMS: sums_of(files)}


@given(st.integers(-(2**51), 2**51), st.integers(1, NO_LEAK))
@example(2**51, NO_LEAK)
@example(-(2**51), NO_LEAK - 1)
def test_a_leak_is_a_product_that_is_rounded_once(x: int, leak: int) -> None:
    exact = floor(Fraction(x * leak, 2**LEAK_BITS) + Fraction(1, 2))
    assert int(leaked(np.int64(x), leak)) == exact
    assert int(leaked(torch.tensor(x), leak)) == exact


@given(FACTORS, FACTORS, FACTORS, st.booleans(), st.integers(0, 99))
def test_the_terms_add_up_to_attention(query: Any, key: Any, value: Any, framed: bool, seed: int) -> None:
    """Of reals: mean spikes of images, or frames that are regrouped to those of the other factor."""
    operands = [[abs(V) + 1 for V in thresholds] for thresholds in (query, key, value)]
    shifts = (query, key, value)
    random = np.random.default_rng(seed)
    levels = [
        [torch.from_numpy(random.integers(0, 4, (1, 4, 2, 1))).double() for _ in one] for one in operands
    ]
    real = [
        torch.stack([float(V) * (n + float(z)) for V, n, z in zip(*parts, strict=True)])
        for parts in zip(operands, levels, shifts, strict=True)
    ]
    mixtures = [mixed(V, z, framed=framed) for V, z in zip(operands, shifts, strict=True)]
    terms = [(term, float(factor)) for term, factor in terms_of(*mixtures, Fraction(1, 8)).items()]
    frames = len(value) if framed else 1
    q, k, v = (one if framed else one.mean(0, keepdim=True) for one in real)
    q, k, v = (one.view(len(one), 2, 2, 2).transpose(-2, -1) for one in (q, k, v))  # [frames, heads, N, d]
    scores = q @ regroup(k, len(q)).transpose(-2, -1)
    wanted = (regroup(scores, len(v)) @ v / 8).transpose(-2, -1).reshape(frames, 1, 4, 2, 1)
    torch.testing.assert_close(attended(levels, 2, terms, frames), wanted)


@given(st.integers(1, 9), st.integers(1, 9))
def test_mixtures_are_regrouped_as_frames_are(frames: int, count: int) -> None:
    found = regrouped([{frame: Fraction(1)} for frame in range(frames)], count)
    wanted = regroup(torch.eye(frames, dtype=torch.float64), count)
    dense = [[float(one.get(frame, 0)) for frame in range(frames)] for one in found]
    torch.testing.assert_close(torch.tensor(dense, dtype=torch.float64), wanted)


@pytest.mark.parametrize(
    ("name", "settings", "options", "version"),
    [
        ("conv-net", {"width": 2}, {}, 1),
        ("conv-net", {"width": 2}, {"learn_leak": True}, 2),
        ("conv-net", {"width": 2}, {"leak": 1e-12}, 2),  # not rounded to 0
        ("conv-net", {"width": 2}, {"threshold_shift": True}, 2),
        ("spikformer", SPIKFORMER, {}, 2),
    ],
)
def test_a_file_has_the_least_version_that_can_say_it(
    make, export_of_network, *, name, settings, options, version
):
    contents = contents_of(export_of_network(make(name, settings, **options)))
    assert json.loads(contents[MANIFEST])["version"] == version
    assert contents_of(export_of(contents)) == contents


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda manifest, node: manifest.update(version=1), "nodes of version 2"),
        (lambda manifest, node: node.update(heads=3), "3 heads of"),
        (lambda manifest, node: node.update(heads=0), "nodes"),
        (lambda manifest, node: node.update(terms=1), r"context\.terms is not I64 \[1, 4\]"),
        (lambda manifest, node: node.update(terms=2**40), "nodes"),
        (lambda manifest, node: node.update(inputs=["input"] * 3), "reads input, which is no operand"),
        (
            lambda manifest, node: manifest["nodes"][-1].update(inputs=[node["inputs"][0]]),
            "reads blocks.0.attention.query, which is an operand",
        ),
        (lambda manifest, node: manifest["nodes"][1].update(leak=NO_LEAK), "no node of the schema"),
        (lambda manifest, node: manifest["nodes"][1].update(leak=0), "no node of the schema"),
        (lambda manifest, node: manifest["nodes"][1].update(shifted=True), "disagree on"),
    ],
)
def test_a_graph_that_cannot_be_is_refused(attention, change, match):
    with pytest.raises(ExportDamagedError, match=match):
        export_of(changed(attention, change))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("step", [-1, 99])
def test_terms_of_steps_that_are_not_there_are_refused(attention, place, step):
    export = export_of(attention)
    ((_, numbers),) = export.attentions.items()
    numbers.terms_K4.setflags(write=True)
    numbers.terms_K4[0, place] = step
    with pytest.raises(ExportDamagedError, match="steps that its operands do not have"):
        export_of(contents_of(export))
