"""The drawing and the table of a point's layers."""

from __future__ import annotations

from collections.abc import Callable

from service.store import Store
from service.views import PointView
from service.web.layer_bars import layer_chart, layer_rows

MakeJob = Callable[..., str]


def point(api_store: Store, job_id: str) -> PointView:
    with api_store.unit() as unit:
        found = unit.points.page(job_id, limit=1, cursor=None).items[0]
    layers = {
        "a": {"steps": 2, "spike_bits": [1, 3], "weight_bits": 8},
        "b": {"steps": 1, "spike_bits": [4], "weight_bits": 2},
    }
    return found.model_copy(update={"allocation": layers})


def test_bars_are_as_high_as_their_share_of_the_greatest(api_store: Store, job_with_points: MakeJob) -> None:
    steps, spike, weight = layer_chart(point(api_store, job_with_points())).rows
    assert [bar.text for bar in spike.bars] == ["2", "4"]
    assert steps.bars[0].height == 2 * steps.bars[1].height
    assert weight.bars[0].height == 4 * weight.bars[1].height
    assert all(bar.y + bar.height == row.base for row in (steps, spike, weight) for bar in row.bars)
    assert spike.bars[0].title == "a: Bs 1, 3"


def test_the_table_lists_spike_bits_per_step_where_they_differ(
    api_store: Store, job_with_points: MakeJob
) -> None:
    rows = layer_rows(point(api_store, job_with_points()))
    assert rows[0] == {"layer": "a", "steps": "2", "spike": "1, 3", "weight": "8"}
    assert rows[1]["spike"] == "4"


def test_widths_of_channels_are_told_by_their_mean(api_store: Store, job_with_points: MakeJob) -> None:
    view = point(api_store, job_with_points())
    layers = {"a": {"steps": 1, "spike_bits": [4], "weight_bits": 2, "channel_bits": [1, 2, 4]}}
    view = view.model_copy(update={"allocation": layers})
    assert layer_rows(view)[0]["weight"] == "2.3"
    _, _, weight = layer_chart(view).rows
    assert (weight.bars[0].text, weight.bars[0].title) == ("2.3", "a: Bw 2.3")
