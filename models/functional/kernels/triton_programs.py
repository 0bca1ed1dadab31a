"""The programs of the fused form for GPUs, in Triton: each block of the input runs all steps in registers.

    w_t = u_t / V_t - z_t;  l_t = level(w_t);  s_t = V_t * (l_t + z_t);  u_(t+1) = d * (u_t - s_t) + x_(t+1)

Widths, step sizes and T are read from the GPU's own memory: nothing is compiled again and nothing waits when
they change, and a CUDA graph replays them. A width that is no number poisons the output, so that the loss
tells of it. Each block leaves its five sums per step in `partials`; `finish` turns totals into gradients.
"""

# ruff: noqa: PLR0917, PLR0124
# (Arguments of a program are positional; what does not equal itself is no number.)

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"
# (Triton compiles these functions from their source; its own types are no Python types.)

from __future__ import annotations

import triton
import triton.language as tl

HALF_BELOW = tl.constexpr(0.5 - 2.0**-25)  # the greatest float below 1/2
TINY = tl.constexpr(2.0**-126)  # the least normal float
LN2 = tl.constexpr(0.6931471805599453)
SUMS = tl.constexpr(5)  # error, above, below, leak, divisor


@triton.jit
def steps_of(steps, longest):
    """T, at least 1 and at most `longest`."""
    if steps is None:
        return longest
    wanted = tl.load(steps).to(tl.float32)
    whole = tl.floor(tl.where(wanted == wanted, wanted, 1.0) + 0.5)
    return tl.minimum(tl.maximum(whole, 1.0), longest.to(tl.float32)).to(tl.int32)


@triton.jit
def width_of(bits, t):
    """B of step t: 1 to 24, so that every level is a float."""
    wanted = tl.load(bits + t).to(tl.float32)
    whole = tl.floor(tl.where(wanted == wanted, wanted, 1.0) + 0.5)
    return tl.minimum(tl.maximum(whole, 1.0), 24.0).to(tl.int32)


@triton.jit
def top_of(width, SIGNED: tl.constexpr):
    """Q."""
    if SIGNED:
        return tl.maximum((1 << (width - 1)) - 1, 1).to(tl.float32)
    return ((1 << width) - 1).to(tl.float32)


@triton.jit
def poisoned(V, bits, steps, t):
    """V, or NaN where a width or the number of steps is no number."""
    width = tl.load(bits + t).to(tl.float32)
    V += width - width
    if steps is not None:
        wanted = tl.load(steps).to(tl.float32)
        V += wanted - wanted
    return V


@triton.jit
def level_of(w, high, binary, SIGNED: tl.constexpr):
    """The integer level of each quotient; NaN stays."""
    if SIGNED:
        rounded = tl.where(w < 0, -1.0, 1.0) * tl.floor(tl.abs(w) + HALF_BELOW)
        low = -high
        single = tl.where(w > 0, 1.0, -1.0)
    else:
        rounded = tl.floor(w + HALF_BELOW)
        low = high * 0
        single = tl.where(w > 0.5, 1.0, 0.0)
    clipped = tl.where(rounded < low, low, tl.where(rounded > high, high, rounded))
    return tl.where(binary, single, clipped)


@triton.jit(do_not_specialize=["longest", "count"])
def forward(
    x, y, step_sizes, bits, steps, leak_tensor, shifts, leak, longest, count,
    SIGNED: tl.constexpr, FRAMED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """y, or each s_t where FRAMED (`longest` is T then)."""
    here = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = here < count
    T = longest if FRAMED else steps_of(steps, longest)
    d = leak if leak_tensor is None else tl.load(leak_tensor).to(tl.float32)
    given = tl.load(x + here, mask=mask, other=0.0).to(tl.float32)
    rest = tl.zeros([BLOCK], tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for t in range(0, T):
        if FRAMED:
            given = tl.load(x + t * count + here, mask=mask, other=0.0).to(tl.float32)
        potential = tl.where(t == 0, given, given + rest * d)
        V = poisoned(tl.load(step_sizes + t).to(tl.float32), bits, steps, t)
        z = 0.0 if shifts is None else tl.load(shifts + t).to(tl.float32)
        width = width_of(bits, t)
        w = tl.div_rn(potential, tl.zeros([BLOCK], tl.float32) + V) - z
        spikes = (level_of(w, top_of(width, SIGNED), width == 1, SIGNED) + z) * V
        rest = potential - spikes
        total += spikes
        if FRAMED:
            tl.store(y + t * count + here, spikes.to(y.dtype.element_ty), mask=mask)
    if not FRAMED:
        divisor = tl.zeros([BLOCK], tl.float32) + T.to(tl.float32)
        tl.store(y + here, tl.div_rn(total, divisor).to(y.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["longest", "count"])
def backward(
    x, g, dx, partials, step_sizes, bits, steps, leak_tensor, shifts, leak, longest, count,
    SIGNED: tl.constexpr, FRAMED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """dx, and the sums of this block for each step in `partials` [blocks, longest, SUMS]."""
    here = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = here < count
    T = longest if FRAMED else steps_of(steps, longest)
    d = leak if leak_tensor is None else tl.load(leak_tensor).to(tl.float32)
    given = tl.load(x + here, mask=mask, other=0.0).to(tl.float32)
    grad = tl.load(g + here, mask=mask, other=0.0).to(tl.float32)
    if not FRAMED:
        grad = tl.div_rn(grad, tl.zeros([BLOCK], tl.float32) + T.to(tl.float32))
    rest = tl.zeros([BLOCK], tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for t in range(0, T):
        if FRAMED:
            given = tl.load(x + t * count + here, mask=mask, other=0.0).to(tl.float32)
            grad = tl.load(g + t * count + here, mask=mask, other=0.0).to(tl.float32)
        potential = tl.where(t == 0, given, given + rest * d)
        V = poisoned(tl.load(step_sizes + t).to(tl.float32), bits, steps, t)
        z = 0.0 if shifts is None else tl.load(shifts + t).to(tl.float32)
        width = width_of(bits, t)
        high = top_of(width, SIGNED)
        w = tl.div_rn(potential, tl.zeros([BLOCK], tl.float32) + V) - z
        level = level_of(w, high, width == 1, SIGNED)
        spikes = (level + z) * V
        under = (w < -high) if SIGNED else (w <= -TINY)
        du = tl.where((w <= high) & (under == 0), grad, 0.0)
        sums = partials + (tl.program_id(0).to(tl.int64) * longest + t) * SUMS
        tl.store(sums, tl.sum((level - w) * du))
        tl.store(sums + 1, tl.sum(tl.where(w > high, grad, 0.0)))
        tl.store(sums + 2, tl.sum(tl.where(under, grad, 0.0)))
        tl.store(sums + 3, tl.sum(tl.where(t == 0, 0.0, rest * du)))
        tl.store(sums + 4, tl.sum(grad * spikes))
        rest = potential - spikes
        total += du
        if FRAMED:
            tl.store(dx + t * count + here, du.to(dx.dtype.element_ty), mask=mask)
    if not FRAMED:
        tl.store(dx + here, total.to(dx.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["longest", "count"])
def finish(
    totals, dV, dB, dz, dT, dd, step_sizes, bits, steps, shifts, longest, count,
    SIGNED: tl.constexpr, FRAMED: tl.constexpr,
):  # fmt: skip
    """The gradients from `totals` [longest, SUMS]; one program. Those of steps not taken stay 0."""
    T = longest if FRAMED else steps_of(steps, longest)
    leaked = 0.0
    divided = 0.0
    for t in range(0, T):
        sums = totals + t * SUMS
        error, above, below = tl.load(sums), tl.load(sums + 1), tl.load(sums + 2)
        leaked += tl.load(sums + 3)
        divided += tl.load(sums + 4)
        V = poisoned(tl.load(step_sizes + t).to(tl.float32), bits, steps, t)
        z = 0.0 if shifts is None else tl.load(shifts + t).to(tl.float32)
        width = width_of(bits, t)
        high = top_of(width, SIGNED)
        outside = above - below if SIGNED else above
        k = 1.0 / tl.sqrt(tl.maximum(count, 1).to(tl.float32) * high)
        tl.store(dV + t, k * (error + high * outside + z * (above + below)))
        tl.store(dB + t, tl.where(width == 1, high, high + 1) * V * outside * LN2)
        tl.store(dz + t, V * (above + below))
    tl.store(dd, leaked)
    tl.store(dT, divided / -T.to(tl.float32))
