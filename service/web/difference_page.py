"""What the page of the difference of two points shows, and which points one may be held against."""

from __future__ import annotations

from typing import Any

from service.differences.reading import SCOPE, difference_of
from service.differences.views import PointDifferenceView
from service.front_views import FrontPoint
from service.store import Store, Unit
from service.views import PointView
from service.web.difference_bars import difference_chart
from service.web.layer_bars import spikes_text
from service.web.marks import marks

MOST_OTHERS = 200


def difference_context(store: Store, point_id: str, other_id: str) -> dict[str, Any]:
    """The context of `difference.html`. Raises NotFoundError."""
    with store.unit() as unit:
        found = difference_of(unit, point_id, other_id)
        points = [unit.points.get(one) for one in (point_id, other_id)]
        others = others_of(unit, points[0])
    return {
        "difference": found,
        "sides": list(zip("ab", (found.a, found.b), points, strict=True)),
        "same": _same(found),
        "marks": marks([found.a.method, found.b.method]),
        "chart": difference_chart(found.layers),
        "others": others,
        "scope": SCOPE,
        "spikes_text": spikes_text,
    }


def others_of(unit: Unit, point: PointView) -> list[FrontPoint]:
    """The points on the front of a point's job that it may be held against, cheapest first."""
    metric = point.spec["budget"]["metric"]
    front = unit.fronts.front(point.job_id, metric=metric, method=None, seed=None, all_points=False)
    return [one for one in front.points if one.id != point.id][:MOST_OTHERS]


def _same(found: PointDifferenceView) -> str:
    """How many layers are alike, in words."""
    alike = sum(one.same for one in found.layers)
    if alike == len(found.layers):
        return "Both give every layer the same bits."
    alone = sum(one.change is None for one in found.layers)
    apart = f"; {alone} are searched in one of them alone" if alone else ""
    return f"{alike} of {len(found.layers)} layers have the same bits in both{apart}."
