"""The heat map of a point: a cell for each value that there is, the darker the greater."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.allocation import LayerBits
from service.web.layer_heat import DARKEST, FAINTEST, heat_rows

bits = st.lists(st.integers(1, 6), min_size=1, max_size=4).flatmap(
    lambda spikes: st.builds(
        LayerBits,
        steps=st.just(len(spikes)),
        spike_bits=st.just(tuple(spikes)),
        weight_bits=st.integers(1, 8),
    )
)


@given(st.lists(bits, min_size=1, max_size=6))
def test_every_step_of_every_layer_has_a_cell_and_no_other_has(found: list[LayerBits]) -> None:
    layers = [(f"layer{index}", one) for index, one in enumerate(found)]
    rows = heat_rows(layers, top=0, left=100, column=30)
    assert [row.label for row in rows] == [
        "T",
        *(f"Bs, step {step + 1}" for step in range(max(one.steps for one in found))),
        "Bw",
    ]
    spikes = {
        (cell.title.split(":")[0], step): int(cell.text)
        for step, row in enumerate(rows[1:-1])
        for cell in row.cells
    }
    assert spikes == {
        (name, step): width for name, one in layers for step, width in enumerate(one.spike_bits)
    }
    assert [cell.x for cell in rows[0].cells] == [100 + 30 * index for index in range(len(layers))]


@given(st.lists(bits, min_size=2, max_size=6))
def test_the_greater_the_darker_within_one_quantity(found: list[LayerBits]) -> None:
    rows = heat_rows([(str(index), one) for index, one in enumerate(found)], top=0, left=0, column=30)
    for kind in ("steps", "spike", "weight"):
        cells = [cell for row in rows if row.kind == kind for cell in row.cells]
        ordered = sorted(cells, key=lambda cell: float(cell.text))
        assert [cell.opacity for cell in ordered] == sorted(cell.opacity for cell in cells)
        assert all(FAINTEST < cell.opacity <= DARKEST for cell in cells)
        assert max(cell.opacity for cell in cells) == DARKEST
