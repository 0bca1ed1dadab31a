"""What every fused form of the neuron promises: the reference's values, bit for bit, and its gradients.

A form inherits `KernelContract` and says how it binds a neuron, on which device and for which sizes.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch

from models.functional.kernels import Neuron
from models.functional.kernels.interface import Form, Gradients
from models.functional.kernels.reference import ReferenceForm

LONGEST = 6


def made(seed: int, *shape: int) -> torch.Tensor:
    """Normal numbers that the seed alone decides."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def neuron_of(*, bits: float, steps: int, signed: bool = False, **options: object) -> Neuron:
    """A neuron whose steps all differ."""
    neuron = Neuron(
        step_sizes=0.9 / 2**bits * (1 + torch.arange(LONGEST) / 7),
        bits=(bits + torch.arange(LONGEST) % 2 / 3).clamp(1, 8),
        steps=torch.tensor([float(steps)]),
        signed=signed,
    )
    return replace(neuron, **options)  # type: ignore[arg-type]  # options are the fields of Neuron


OPTIONS = {
    "plain": {},
    "leaky": {"leak": 0.75},
    "learned leak": {"leak": torch.tensor([0.5])},
    "shifted": {"shifts": torch.linspace(-0.3, 0.4, LONGEST)},
    "all": {"leak": torch.tensor(0.9), "shifts": torch.linspace(0.2, -0.2, LONGEST)},
}


class KernelContract:
    """Inherited once per form."""

    device = "cpu"
    sizes: tuple[tuple[int, ...], ...] = ((0,), (1,), (3, 5, 7), (1023,), (4, 1025))
    huge = 3_000_001
    half: torch.dtype = torch.bfloat16

    def form(self, neuron: Neuron) -> Form:
        """The form under test, bound to a neuron on `device`."""
        raise NotImplementedError

    def check(self, neuron: Neuron, x: torch.Tensor, grad: torch.Tensor | None = None) -> None:
        """Values equal to the reference's exactly, gradients to rounding error of their sums."""
        grad = made(1, *x.shape).to(x.dtype) if grad is None else grad
        reference, form = ReferenceForm(neuron), self.form(on(neuron, self.device))
        x_here, grad_here = x.to(self.device), grad.to(self.device)
        output = form.forward(x_here)
        assert output.dtype == x.dtype
        assert output.stride() == torch.empty_like(x).stride()
        assert torch.equal(output.cpu(), reference.forward(x))
        self.compare(form.backward(grad_here, x_here), reference.backward(grad, x), x.dtype)

    def compare(self, found: Gradients, wanted: Gradients, dtype: torch.dtype) -> None:
        """dx exactly, the sums to the error that their order makes."""
        assert found.current.dtype == dtype
        assert torch.equal(found.current.cpu(), wanted.current)
        for name in ("step_sizes", "bits", "steps", "leak", "shifts"):
            actual, expected = getattr(found, name), getattr(wanted, name)
            assert (actual is None) == (expected is None), name
            if expected is not None:
                size = 1 if name == "step_sizes" else math.sqrt(max(wanted.current.numel(), 1))
                torch.testing.assert_close(
                    actual.cpu().flatten(),
                    expected.flatten(),
                    rtol=1e-4,
                    atol=2e-6 * size,  # sums of random signs cancel
                    msg=lambda told, name=name: f"{name}: {told}",
                )

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("bits", range(1, 9))
    def test_every_width(self, bits: int, signed: bool) -> None:
        self.check(neuron_of(bits=bits, steps=2, signed=signed), made(0, 257))

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("options", OPTIONS)
    @pytest.mark.parametrize("steps", range(1, LONGEST + 1))
    def test_every_number_of_steps(self, steps: int, options: str, signed: bool) -> None:
        self.check(neuron_of(bits=2, steps=steps, signed=signed, **OPTIONS[options]), made(0, 131))

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("options", OPTIONS)
    @pytest.mark.parametrize("steps", [1, 2, 3, LONGEST])
    def test_frames(self, steps: int, options: str, signed: bool) -> None:
        neuron = neuron_of(bits=2, steps=steps, signed=signed, framed=True, **OPTIONS[options])
        self.check(neuron, made(0, steps, 3, 47))

    @pytest.mark.parametrize("precision", ["single", "half"])
    @pytest.mark.parametrize("size", range(5))
    def test_every_size(self, size: int, precision: str) -> None:
        dtype = self.half if precision == "half" else torch.float32
        self.check(neuron_of(bits=3, steps=3), made(0, *self.sizes[size]).to(dtype))

    @pytest.mark.parametrize("framed", [False, True])
    @pytest.mark.parametrize("options", OPTIONS)
    def test_half_precision(self, options: str, framed: bool) -> None:
        neuron = neuron_of(bits=3, steps=3, framed=framed, **OPTIONS[options])
        self.check(neuron, made(0, 3, 97).to(self.half))

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("steps", [2, 4, LONGEST])
    @pytest.mark.parametrize("first", [1.0, 3.0])
    def test_binary_steps_beside_others(self, first: float, steps: int, signed: bool) -> None:
        bits = torch.tensor([first, 4.0 - first] * (LONGEST // 2))
        self.check(replace(neuron_of(bits=2, steps=steps, signed=signed), bits=bits), made(0, 131))

    def test_one_form_takes_inputs_of_several_sizes_and_types(self) -> None:
        neuron = neuron_of(bits=3, steps=2)
        reference, form = ReferenceForm(neuron), self.form(on(neuron, self.device))
        for x in (made(0, 7), made(1, 2000), made(2, 7).to(self.half), made(3, 7)):
            assert torch.equal(form.forward(x.to(self.device)).cpu(), reference.forward(x))
            grad = torch.ones_like(x)
            found = form.backward(grad.to(self.device), x.to(self.device))
            self.compare(found, reference.backward(grad, x), x.dtype)

    def test_one_huge_tensor(self) -> None:
        self.check(neuron_of(bits=4, steps=2), made(0, self.huge))

    def test_a_step_size_and_a_width_of_no_dimension_and_no_steps(self) -> None:
        one_step = Neuron(step_sizes=torch.tensor(0.2), bits=torch.tensor(3.0), signed=True)
        self.check(one_step, made(0, 5, 5))

    @pytest.mark.parametrize("layout", ["channels last", "transposed", "strided", "expanded", "odd ones"])
    def test_every_layout_of_the_input(self, layout: str) -> None:
        self.check(neuron_of(bits=3, steps=2), laid_out(made(0, 4, 6, 5, 3), layout))

    @pytest.mark.parametrize("layout", ["channels last", "transposed", "strided", "expanded", "odd ones"])
    def test_every_layout_of_the_gradient(self, layout: str) -> None:
        self.check(neuron_of(bits=3, steps=2), made(0, 4, 6, 5, 3), laid_out(made(1, 4, 6, 5, 3), layout))

    def test_a_channels_last_input_meets_a_gradient_of_another_layout(self) -> None:
        x = laid_out(made(0, 4, 6, 5, 3), "channels last")
        self.check(neuron_of(bits=3, steps=2), x, made(1, 4, 6, 5, 3))

    @pytest.mark.parametrize("layout", ["channels last", "transposed", "strided", "expanded"])
    def test_every_layout_of_frames(self, layout: str) -> None:
        neuron = neuron_of(bits=3, steps=4, framed=True)
        self.check_frames(neuron, laid_out(made(0, 4, 6, 5, 3), layout))
        images = [laid_out(made(seed, 2, 6, 5, 3), layout) for seed in range(4)]
        self.check_frames(neuron, torch.stack(images))

    def check_frames(self, neuron: Neuron, x: torch.Tensor) -> None:
        """As `check`, but a form may lay frames out anew: they have to follow one another."""
        grad = made(1, *x.shape)
        reference, form = ReferenceForm(neuron), self.form(on(neuron, self.device))
        assert torch.equal(form.forward(x.to(self.device)).cpu(), reference.forward(x))
        self.compare(
            form.backward(grad.to(self.device), x.to(self.device)), reference.backward(grad, x), x.dtype
        )

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("bits", [1, 3])
    def test_ties_and_ends_of_the_range(self, bits: int, signed: bool) -> None:
        halves = torch.arange(-20, 21) / 2
        x = torch.cat([halves, *(torch.nextafter(halves, torch.tensor(end)) for end in (-99.0, 99.0))])
        neuron = neuron_of(bits=bits, steps=2, signed=signed, step_sizes=torch.ones(LONGEST))
        self.check(neuron, x)

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("bits", [1, 3])
    def test_what_is_not_a_number_stays_where_it_is(self, bits: int, signed: bool) -> None:
        x = made(0, 64)
        x[3], x[17], x[40] = float("nan"), float("inf"), -float("inf")
        neuron = neuron_of(bits=bits, steps=2, signed=signed)
        found = self.form(on(neuron, self.device)).forward(x.to(self.device)).cpu()
        torch.testing.assert_close(found, ReferenceForm(neuron).forward(x), rtol=0, atol=0, equal_nan=True)
        gradients = self.form(on(neuron, self.device)).backward(
            torch.ones(64, device=self.device), x.to(self.device)
        )
        assert torch.isnan(gradients.step_sizes[0])
        clean = torch.ones(64, dtype=torch.bool)
        clean[[3, 17, 40]] = False
        wanted = ReferenceForm(neuron).backward(torch.ones(64), x)
        assert torch.equal(gradients.current.cpu()[clean], wanted.current[clean])

    def test_the_same_call_gives_the_same_bits(self) -> None:
        x, grad = made(0, 5000).to(self.device), made(1, 5000).to(self.device)
        form = self.form(on(neuron_of(bits=3, steps=3, **OPTIONS["all"]), self.device))
        once, again = form.backward(grad, x), form.backward(grad, x)
        assert all(torch.equal(getattr(once, each.name), getattr(again, each.name)) for each in fields(once))


def on(neuron: Neuron, device: str) -> Neuron:
    """The neuron with its tensors on a device."""
    moved = {
        field.name: value.to(device)
        for field in fields(neuron)
        if isinstance(value := getattr(neuron, field.name), torch.Tensor)
    }
    return replace(neuron, **moved)


def laid_out(x: torch.Tensor, layout: str) -> torch.Tensor:
    """The values of a 4-dimensional tensor in another layout (those of `expanded` repeat)."""
    match layout:
        case "channels last":
            return x.to(memory_format=torch.channels_last)
        case "transposed":
            return x.permute(3, 0, 2, 1).contiguous().permute(1, 3, 2, 0)
        case "strided":
            return x.repeat_interleave(2, dim=3)[..., ::2]
        case "expanded":
            return x[..., :1].expand_as(x)
        case "odd ones":
            return x[:, :1, :, :1].contiguous().as_strided((4, 1, 5, 1), (5, 77, 1, 99))
    raise ValueError(layout)
