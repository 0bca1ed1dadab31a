"""The passes of a layer, compiled, beside the plain ones on the same whole numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export import compiled_passes, passes
from models.export.arithmetic import NoOperation
from models.export.pending import Pending
from models.functional.levels import levels_at

CHANNELS = (1, 7, 8, 9, 24, compiled_passes.BLOCK, compiled_passes.BLOCK + 1)


def both(*, steps, channels, framed=False, seed=0):
    """A layer's passes, plain and compiled."""
    random = torch.Generator().manual_seed(seed)
    plain = passes.TorchPasses(
        thresholds=[float(1000 + 77 * step) for step in range(steps)],
        levels=[levels_at(1 + step % 4, signed=False) for step in range(steps)],
        multiplier_TO=torch.randint(-99, 100, (steps, channels), generator=random).double(),
        bias_O=torch.randint(-999, 1000, (channels,), generator=random).double(),
        framed=framed,
    )
    return plain, compiled_passes.passes_of(plain)


def whole(shape, dtype, seed=0):
    """Whole numbers, channels last."""
    found = torch.randint(-60, 100, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return found.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else found


@pytest.fixture(scope="module", autouse=True)
def _compiler():
    if compiled_passes.compiled() is None:
        pytest.skip("no C compiler")


@given(
    steps=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from(CHANNELS),
    sides=st.sampled_from([(), (3, 2), (9, 8)]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    keep=st.booleans(),
    added=st.booleans(),
)
def test_one_pass_gives_what_two_give(*, steps, channels, sides, dtype, keep, added):
    before, after = steps
    plain, compiled = both(steps=before, channels=channels)
    reader, compiled_reader = both(steps=after, channels=channels, seed=1)
    sums = whole((before * 2, channels, *sides), dtype)
    shortcut = whole((2, channels, *sides), torch.float64, seed=2) * 100 if added else None
    current = plain.currents(sums) + (0 if shortcut is None else shortcut)
    pending = Pending(passes=compiled, operation=NoOperation(), n=sums, shortcut=shortcut)
    found, n = compiled_reader.carried(pending, torch.uint8, keep=keep)
    assert torch.equal(n, reader.spikes(current, torch.uint8))
    assert torch.equal(found, current) or not keep


@given(
    st.integers(1, 9),
    st.sampled_from(CHANNELS),
    st.sampled_from([(), (3, 2)]),
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
)
def test_compiled_currents_are_the_plain_ones(steps, channels, sides, dtype, framed):
    plain, compiled = both(steps=steps, channels=channels, framed=framed)
    sums = whole((steps * 2, channels, *sides), dtype)
    assert torch.equal(compiled.currents(sums), plain.currents(sums))
