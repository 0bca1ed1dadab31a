"""A user's table: exact at its rows, linear between, never falling, refused with the row that is wrong."""

import random
from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import FIRST_LAYER_BITS, Allocation, Bounds, LayerBits
from models.cost import CostBasis, CostTable, LayerLoad, LayerShape, Limit, costs, limit_cost, within
from models.cost.grid import Grid
from models.cost.table import MOST_ROWS, CostRow
from models.errors import InvalidInputError, UnknownNameError
from models.repair import fit, greatest_allocation, least_allocation
from models.wish import LayerWish

FIRST = LayerShape(name="f", kind="conv", macs=70, weights=9, inputs=4, biases=1, fixed=FIRST_LAYER_BITS)
A = LayerShape(name="a", kind="conv", macs=1000, weights=90, inputs=64, biases=4)
B = LayerShape(name="b", kind="linear", macs=50, weights=50, inputs=100, biases=10)
LAYERS = (FIRST, A, B)
HEADER = "kind,steps,spike_bits,weight_bits,cost"
AXES = ((1, 2, 4), (1, 2, 3, 6), (1, 4, 8))


@st.composite
def grids(draw):
    """A grid that never falls: at each knot at least what its lower neighbours cost."""
    costs_at: dict[tuple[int, int, int], float] = {}
    for place in product(*(range(len(axis)) for axis in AXES)):
        below = [
            costs_at[(*place[:along], place[along] - 1, *place[along + 1 :])]
            for along in range(3)
            if place[along]
        ]
        costs_at[place] = max(below, default=1.0) + draw(st.sampled_from([0.0, 0.25, 2.0]))
    return Grid(name="conv", axes=AXES, costs=tuple(costs_at.values()))


bits_in_grid = st.tuples(st.floats(1, 4), st.floats(1, 6), st.floats(1, 8))


@given(grid=grids())
@settings(max_examples=20)
def test_a_grid_is_exact_at_its_knots(grid):
    for place in product(*(range(len(axis)) for axis in AXES)):
        assert grid.cost(grid.bits_at(place)) == grid.at(place)


@given(grid=grids(), bits=bits_in_grid, along=st.integers(0, 2), more=st.floats(0, 3))
def test_a_grid_whose_knots_never_fall_never_falls_between_them(grid, bits, along, more):
    assert not list(grid.falls())
    beyond = [*bits]
    beyond[along] = min(bits[along] + more, AXES[along][-1])
    assert grid.cost(beyond) >= grid.cost(bits) - 1e-9


@given(grid=grids(), bits=bits_in_grid)
def test_between_knots_gradients_are_those_of_finite_differences(grid, bits):
    inside = [
        min(max(value, axis[0] + 0.01), axis[-1] - 0.01) for value, axis in zip(bits, AXES, strict=True)
    ]
    inside = [value + 0.001 if abs(value - round(value)) < 1e-4 else value for value in inside]
    check_gradients(grid, inside)


@given(grid=grids(), place=st.tuples(st.just(1), st.integers(1, 2), st.just(1)))
def test_at_a_knot_the_gradient_is_the_mean_of_both_slopes(grid, place):
    knot, found = grid.bits_at(place), gradients(grid, grid.bits_at(place))
    for along in range(3):
        slopes = []
        for step in (-1, 1):
            beside = (*place[:along], place[along] + step, *place[along + 1 :])
            across = grid.bits_at(beside)[along] - knot[along]
            slopes.append((grid.at(beside) - grid.at(place)) / across)
        assert found[along] == pytest.approx(sum(slopes) / 2)


@given(grid=grids())
@settings(max_examples=10)
def test_at_an_end_the_gradient_is_the_one_slope_there_is(grid):
    low, high = gradients(grid, (1, 1, 1)), gradients(grid, (4, 6, 8))
    assert low[0] == pytest.approx(grid.at((1, 0, 0)) - grid.at((0, 0, 0)))
    assert high[0] == pytest.approx((grid.at((2, 3, 2)) - grid.at((1, 3, 2))) / 2)


def gradients(grid, bits):
    leaves = [torch.tensor(float(value), dtype=torch.float64, requires_grad=True) for value in bits]
    cost = grid.cost(leaves)
    cost.backward()
    assert cost.item() == pytest.approx(grid.cost(bits))
    return [leaf.grad.item() for leaf in leaves]


def check_gradients(grid, bits):
    for along, found in enumerate(gradients(grid, bits)):
        less, more = [*bits], [*bits]
        less[along] -= 1e-6
        more[along] += 1e-6
        assert found == pytest.approx((grid.cost(more) - grid.cost(less)) / 2e-6, abs=1e-5)


def product_table(kinds=("conv", "linear"), steps=(1, 2, 3), spike=(1, 2, 4), weight=(1, 2, 4), factor=1.0):
    """cost = factor * T * Bs * Bw + T, as rows in an arbitrary order."""
    rows = [
        CostRow(kind=kind, steps=t, spike_bits=s, weight_bits=w, cost=factor * t * s * w + t)
        for kind, t, s, w in product(kinds, steps, spike, weight)
    ]
    random.Random(0).shuffle(rows)  # noqa: S311 - any order
    return CostTable.of(rows)


BITS = Allocation(
    layers={
        "a": LayerBits(steps=2, spike_bits=(3, 2), weight_bits=4),
        "b": LayerBits(steps=1, spike_bits=(4,), weight_bits=3),
    }
)


def cost_of(table, scope="searched"):
    return limit_cost(
        Limit(metric="table", maximum=1, scope=scope, basis=CostBasis(table=table)), LAYERS, BITS
    )


def test_rows_for_a_kind_are_per_multiply_accumulate():
    assert cost_of(product_table()) == pytest.approx(1000 * (2 * 2.5 * 4 + 2) + 50 * (1 * 4 * 3 + 1))


def test_rows_for_a_layer_are_for_the_whole_layer_and_come_first():
    named = CostTable.of([*rows_of(product_table()), *rows_of(product_table(kinds=("b",), factor=100.0))])
    assert cost_of(named) == pytest.approx(1000 * (2 * 2.5 * 4 + 2) + (100 * 1 * 4 * 3 + 1))


def rows_of(table):
    lines = table.to_csv().splitlines()[1:]
    for line in lines:
        kind, *bits, cost = line.split(",")
        yield CostRow(
            kind=kind,
            **dict(zip(("steps", "spike_bits", "weight_bits"), map(int, bits), strict=True)),
            cost=float(cost),
        )


def test_a_scope_that_the_table_does_not_cover_has_no_cost_by_it():
    basis = CostBasis(table=product_table())
    assert "table" in costs(LAYERS, BITS, "searched", basis=basis)
    assert "table" not in costs(LAYERS, BITS, "all", basis=basis)  # the first layer has 8 bits
    with pytest.raises(
        InvalidInputError, match="layer f \\(conv\\) with steps 1, spike_bits 8, weight_bits 8"
    ):
        cost_of(basis.table, "all")
    first = CostTable.of(
        [*rows_of(basis.table), CostRow(kind="f", steps=1, spike_bits=8, weight_bits=8, cost=7)]
    )
    assert cost_of(first, "all") == pytest.approx(cost_of(basis.table) + 7)


def test_layers_without_products_need_no_rows_and_attention_takes_its_partners_bits():
    query = LayerShape(name="q", kind="attention", macs=10, weights=0, inputs=8, biases=0, partner="k")
    key = LayerShape(name="k", kind="attention", macs=0, weights=0, inputs=8, biases=0)
    allocation = Allocation(
        layers={
            "q": LayerBits.uniform(steps=2, spike_bits=2, weight_bits=1),
            "k": LayerBits.uniform(steps=1, spike_bits=4, weight_bits=1),
        }
    )
    basis = CostBasis(table=product_table(kinds=("attention",)))
    assert costs((query, key), allocation, basis=basis)["table"] == 10 * (2 * 2 * 4 + 2)
    assert (
        costs((key,), Allocation(layers={"k": BITS["b"]}), basis=CostBasis(table=product_table()))["table"]
        == 0
    )


def test_a_limit_by_table_without_a_table_is_refused():
    with pytest.raises(UnknownNameError, match="no table"):
        cost_of(None)


def test_equal_tables_give_equal_text_and_come_back_from_it():
    table = product_table()
    assert CostTable.from_csv(table.to_csv()) == table
    lines = table.to_csv().splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    assert CostTable.from_csv(turned).to_csv() == table.to_csv()


def test_columns_may_come_in_any_order_with_spaces():
    found = CostTable.from_csv("cost, kind, weight_bits, spike_bits, steps\n 2.5, conv, 4, 3, 1\n")
    assert found == CostTable.of([CostRow(kind="conv", steps=1, spike_bits=3, weight_bits=4, cost=2.5)])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "header"),
        ("kind,steps,cost\nconv,1,2\n", "header of the cost table is kind,steps,cost"),
        (HEADER, "1 to 65536 rows; this one has 0"),
        (f"{HEADER}\nconv,1,1,1\n", "line 2 of the cost table has not 5 values"),
        (f"{HEADER}\nconv,1,1,1,2,3\n", "line 2 of the cost table has not 5 values"),
        (f"{HEADER}\nconv,1,1,1,nan\n", "line 2 of the cost table has cost 'nan'"),
        (f"{HEADER}\nconv,1,1,1,2\nconv,1,1,2,-3\n", "line 3 of the cost table has cost '-3'"),
        (f"{HEADER}\nconv,1,1,1,0\n", "cost '0'"),
        (f"{HEADER}\nconv,1,1,1,inf\n", "cost 'inf'"),
        (f"{HEADER}\nconv,1,1,1,1e16\n", "cost '1e16'"),
        (f"{HEADER}\nconv,1,1,1,much\n", "cost 'much'"),
        (f"{HEADER}\nconv,0,1,1,2\n", "line 2 of the cost table has steps '0'"),
        (f"{HEADER}\nconv,1,1.5,1,2\n", "spike_bits '1.5'"),
        (f"{HEADER}\nconv,1,1,17,2\n", "weight_bits '17'"),
        (f"{HEADER}\n,1,1,1,2\n", "line 2 of the cost table names no kind"),
        (f"{HEADER}\nconv,1,1,1,2\nconv,1,1,1,2\n", "conv,1,1,1 twice"),
        (f"{HEADER}\nconv,1,1,1,2\nconv,2,1,2,5\n", "has no conv,1,1,2"),
        (
            f"{HEADER}\nconv,1,1,1,2\nconv,1,1,2,5\nconv,1,1,3,4\n",
            "falls .* 1 times: conv,1,1,2 costs more than \\(1, 1, 3\\)",
        ),
        (f'{HEADER}\n"conv,1,1,1,2\n', "not CSV"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_what_is_wrong(text, told):
    with pytest.raises(InvalidInputError, match=told):
        CostTable.from_csv(text)


def test_too_many_rows_are_refused():
    row = CostRow(kind="conv", steps=1, spike_bits=1, weight_bits=1, cost=1.0)
    with pytest.raises(InvalidInputError, match="65536"):
        CostTable.of([row] * (MOST_ROWS + 1))


BOUNDS = Bounds(weight=(1, 4), spike=(1, 4), steps=(1, 3))
wishes = st.fixed_dictionaries(
    {
        name: st.builds(
            LayerWish,
            steps=st.floats(1, 3),
            spike_bits=st.tuples(*[st.floats(1, 4)] * 3),
            weight_bits=st.floats(1, 4),
        )
        for name in ("a", "b")
    }
)


@given(wish=wishes, share=st.floats(0, 1))
@settings(max_examples=40)
def test_a_fit_under_a_table_keeps_it_and_leaves_no_bit_unspent(wish, share):
    probe = Limit(metric="table", maximum=1, basis=CostBasis(table=product_table()))
    low, high = (
        limit_cost(probe, LAYERS, end(LAYERS, BOUNDS)) for end in (least_allocation, greatest_allocation)
    )
    limit = replace(probe, maximum=max(low, low + share * (high - low)))
    found = fit(wish, LAYERS, BOUNDS, [limit])
    assert within([limit], LAYERS, found)
    for name, bits in found:
        richer = [replace(bits, weight_bits=bits.weight_bits + 1)] if bits.weight_bits < 4 else []
        for step, width in enumerate(bits.spike_bits):
            if width < 4:
                widths = (*bits.spike_bits[:step], width + 1, *bits.spike_bits[step + 1 :])
                richer.append(replace(bits, spike_bits=widths))
        for layer in richer:
            assert not within([limit], LAYERS, Allocation(layers={**found.layers, name: layer}))


@given(t=st.integers(1, 3), s=st.sampled_from([1, 2, 4]), w=st.sampled_from([1, 2, 4]))
def test_tensors_cost_what_numbers_cost(t, s, w):
    table = product_table()
    numbers = LayerLoad(shape=A, steps=t, mean_spike_bits=s, weight_bits=w)
    steps, spike, weight = (torch.tensor(float(value), requires_grad=True) for value in (t, s, w))
    tensors = LayerLoad(shape=A, steps=steps, mean_spike_bits=spike, weight_bits=weight)
    cost = table.cost([tensors])
    cost.backward()
    assert cost.item() == table.cost([numbers])
    assert min(leaf.grad.item() for leaf in (steps, spike, weight)) > 0
