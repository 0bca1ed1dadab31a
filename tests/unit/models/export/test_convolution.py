"""Convolutions of bytes end in the currents and levels that plain passes find; runs of 16-bit sums hold."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export import compiled_passes, convolution, passes
from models.export.arithmetic import FloatOperation
from models.export.nodes import NO_LEAK, Geometry
from models.export.pending import Pending
from models.functional.levels import levels_at
from tests.unit.models.export.convolving import conv, convolutions

needs_library = pytest.mark.skipif(
    convolution.compiled() is None, reason="no C compiler, or a processor without AVX2"
)
STEPS = st.integers(1, 9)
CPUINFO = Path("/proc/cpuinfo")


def plain_passes(steps, channels, seed, leak=NO_LEAK, shift=0.0):
    """Of a layer whose neuron is quick to fire."""
    random = torch.Generator().manual_seed(seed)
    return passes.TorchPasses(
        thresholds=[float(1000 + 77 * step) for step in range(steps)],
        levels=[levels_at(1 + step % 4, signed=False) for step in range(steps)],
        multiplier_TO=torch.randint(-99, 100, (steps, channels), generator=random).double(),
        bias_O=torch.randint(-999, 1000, (channels,), generator=random).double(),
        framed=False,
        shifts=[shift] * steps,
        leak=leak,
    )


def added(pending, kind):
    """The shortcut of a pending current: none, one to keep, or one that may be written over."""
    if kind == "none":
        return {}
    whole = torch.randint(-9999, 9999, pending.current().shape, generator=torch.Generator().manual_seed(3))
    return {"shortcut": whole.double(), "spent": kind == "spent"}


@needs_library
@given(
    data=st.data(),
    steps=st.tuples(STEPS, STEPS),
    dtype=st.sampled_from([torch.uint8, torch.float32, torch.float64]),
    keep=st.booleans(),
    shortcut=st.sampled_from(["none", "kept", "spent"]),
    neuron=st.fixed_dictionaries(
        {"leak": st.sampled_from([NO_LEAK, NO_LEAK // 3]), "shift": st.sampled_from([0.0, 99.0])}
    ),
)
def test_what_follows_is_what_the_plain_passes_give(*, data, steps, dtype, keep, shortcut, neuron):
    node, weight, n, highest = data.draw(convolutions(steps=steps[0]))
    maker = plain_passes(steps[0], len(weight), 0)
    reader = plain_passes(steps[1], len(weight), 1, **neuron)
    plain = Pending(passes=maker, operation=FloatOperation(node, weight, torch.float64), n=n.double())
    more = added(plain, shortcut)
    current = plain.current() + more.get("shortcut", 0)
    own = Pending(
        passes=compiled_passes.passes_of(maker),
        operation=convolution.ConvolutionOperation(node, weight, highest),
        n=n.to(torch.uint8),
        **more,
    )
    assert torch.equal(own.current(), current)
    found, levels = compiled_passes.passes_of(reader).carried(own, dtype, keep=keep)
    assert torch.equal(levels, reader.spikes(current, dtype))
    assert torch.equal(found, current) or not keep


def runs_hold(quads, highest, run):
    """Whether no partial sum of a run can leave 16 bits, by the worst levels of every quad, both ways."""
    for start in range(0, quads.shape[1], run):
        for half in (slice(0, 2), slice(2, 4)):
            part = quads[:, start : start + run, half].long() * highest
            if max(part.clamp(min=0).sum((1, 2)).max(), -part.clamp(max=0).sum((1, 2)).min()) > 2**15 - 1:
                return False
    return True


@given(
    st.integers(1, 40),
    st.sampled_from([1, 15, 63, 255]),
    st.integers(0, 127),
    st.integers(0, 99),
)
def test_a_run_of_quads_is_the_first_half_that_stays_within_16_bits(count, highest, heaviest, seed):
    random = np.random.default_rng(seed)
    quads = torch.from_numpy(random.integers(-heaviest, heaviest + 1, (3, count, 4)))
    halves = [count]
    while halves[-1] > 1:
        halves.append(-(-halves[-1] // 2))
    fitting = [run for run in halves if runs_hold(quads, highest, run)]
    assert convolution.run_of(quads, highest) == (fitting[0] if fitting else 0)


def test_weights_too_heavy_for_a_pair_of_products_have_no_own_form():
    assert convolution.run_of(torch.full((1, 3, 4), 127), 255) == 0
    assert convolution.run_of(torch.full((1, 3, 4), 127), 64) == 2
    assert convolution.run_of(torch.full((1, 3, 4), 127), 65) == 1


def test_groups_have_no_own_form():
    node = conv((2, 1, 1, 1), Geometry(groups=2))
    with pytest.raises(ValueError, match="no such form"):
        convolution.ConvolutionOperation(node, torch.ones(2, 1, 1, 1, dtype=torch.int32), 1)


@needs_library
@pytest.mark.skipif(not CPUINFO.exists(), reason="the processor does not say what it has")
@pytest.mark.skipif("CC" in os.environ, reason="CC may build for less than the processor has")
def test_wide_windows_are_left_to_a_library_that_has_the_instructions():
    has = set(CPUINFO.read_text().split())
    others = "amx_int8" in has or ("avx_vnni" in has and "avx512_vnni" not in has)
    small, wide = (torch.ones(1, channels, 3, 3, dtype=torch.int32) for channels in (64, 512))
    assert convolution.is_best(small) == (not others)
    assert convolution.is_best(wide) == (not others and "avx512_vnni" not in has)
