"""Changes of brightness: their fixed points, their bounds, and images whose result is known."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from workers.data.augment import photometric as p


def image(seed: int) -> torch.Tensor:
    """Two images of bytes, [2, 3, 5, 4], 0 to 1."""
    return torch.randint(0, 256, (2, 3, 5, 4), generator=torch.Generator().manual_seed(seed)) / 255


def both(value: float) -> torch.Tensor:
    return torch.full((2,), float(value))


@given(st.integers(0, 99))
def test_the_neutral_strength_changes_nothing(seed: int) -> None:
    x = image(seed)
    for same in (p.brightness(x, both(1)), p.contrast(x, both(1)), p.posterize(x, both(8))):
        assert torch.allclose(same, x, atol=1e-6)
    assert torch.equal(p.solarize(x, both(1.5)), x)


@given(st.integers(0, 99), st.floats(0, 2), st.integers(1, 8), st.floats(0, 1))
def test_every_result_stays_within_0_and_1(seed: int, factor: float, bits: int, threshold: float) -> None:
    x = image(seed)
    results = [
        p.brightness(x, both(factor)),
        p.contrast(x, both(factor)),
        p.posterize(x, both(bits)),
        p.solarize(x, both(threshold)),
        p.autocontrast(x),
        p.equalize(x),
    ]
    for result in results:
        assert result.shape == x.shape
        assert 0 <= result.min() <= result.max() <= 1


def test_samples_have_strengths_of_their_own() -> None:
    found = p.brightness(image(0), torch.tensor([0.0, 1.0]))
    assert found[0].abs().max() == 0
    assert torch.equal(found[1], image(0)[1])


@given(st.integers(0, 99), st.integers(1, 8))
def test_posterizing_and_solarizing_agree_with_pillow(seed: int, bits: int) -> None:
    x = image(seed)
    assert torch.equal(bytes_of(p.posterize(x, both(bits))[0]), by_pillow(ImageOps.posterize, x[0], bits))
    assert torch.equal(bytes_of(p.solarize(x, both(128 / 255))[0]), by_pillow(ImageOps.solarize, x[0], 128))


def test_autocontrast_reaches_black_and_white_and_leaves_an_even_channel() -> None:
    x = image(0) / 2 + 0.25
    x[:, 1] = 0.4
    found = p.autocontrast(x)
    assert found[:, 0].amin() == 0
    assert found[:, 0].amax() == 1
    assert torch.equal(found[:, 1], x[:, 1])


def test_equalizing_spreads_the_levels_evenly_and_keeps_their_order() -> None:
    x = torch.tensor([10, 20, 20, 200]).reshape(1, 1, 2, 2) / 255
    assert torch.allclose(p.equalize(x).flatten(), torch.tensor([0.0, 2 / 3, 2 / 3, 1.0]))
    even = torch.full((1, 1, 2, 2), 0.3)
    assert torch.equal(p.equalize(even), even)


def bytes_of(x_CHW: torch.Tensor) -> torch.Tensor:
    return (x_CHW * 255).round().to(torch.uint8)


def by_pillow(operation, x_CHW: torch.Tensor, *arguments: int) -> torch.Tensor:
    array = bytes_of(x_CHW).permute(1, 2, 0).contiguous()
    changed = operation(
        Image.frombytes("RGB", (array.shape[1], array.shape[0]), array.numpy().tobytes()), *arguments
    )
    flat = torch.frombuffer(bytearray(changed.tobytes()), dtype=torch.uint8)
    return flat.reshape(array.shape).permute(2, 0, 1)
