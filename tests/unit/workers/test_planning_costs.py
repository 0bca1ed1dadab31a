"""What a job is planned to cost: hardware, tables, reference rates, and what is refused of them."""

import pytest

from models.cost import COST_VERSIONS, CostTable
from models.cost.table import CostRow
from models.errors import InvalidInputError
from tests.unit.workers.test_planning import job
from workers.planning import plan_job

ROWS = [
    {"kind": kind, "steps": t, "spike_bits": s, "weight_bits": w, "cost": t * s * w}
    for kind in ("conv", "linear")
    for t in (1, 4)
    for s in (1, 6)
    for w in (1, 8)
]
TABLE = CostTable.of(CostRow(**row) for row in ROWS).to_csv()
BY_TABLE = {"budget": {"metric": "table", "max": [1e9]}}
EIGHTS = [{"kind": "convs.0", "steps": 1, "spike_bits": 8, "weight_bits": 8, "cost": 9}]


@pytest.mark.parametrize(
    ("changes", "pointer", "told"),
    [
        (BY_TABLE, "/budget/metric", "no cost table"),
        ({"constraints": [{"metric": "table", "max": 9}]}, "/constraints/0/metric", "no cost table"),
        ({"cost_table": [row for row in ROWS if row["kind"] == "conv"]}, "/cost_table", "classifier"),
        ({"cost_table": ROWS, "bits": {"steps": [1, 5]}}, "/cost_table", "with steps 5"),
        (
            {"cost_table": ROWS, "budget": {"metric": "table", "max": [1e9], "scope": "all"}},
            "/cost_table",
            "convs.0",
        ),
        ({"cost_table": [*ROWS, {**EIGHTS[0], "kind": "convs.9"}]}, "/cost_table", "names convs.9"),
        (
            {"cost_table": ROWS, "budget": {"metric": "table", "max": [1]}},
            "/budget/max/0",
            "least achievable",
        ),
        ({"budget": {"metric": "cycles", "max": [1]}}, "/budget/max/0", "least achievable"),
        ({"budget": {"metric": "sops", "max": [1]}}, "/budget/max/0", "least achievable"),
        ({"reference_rates": {"convs.9": 0.5}}, "/reference_rates", "convs.9"),
    ],
)
def test_costs_that_cannot_be_computed_or_kept_are_refused_with_their_field(tmp_path, changes, pointer, told):
    with pytest.raises(InvalidInputError, match=told) as caught:
        plan_job(job(**changes), tmp_path)
    assert caught.value.pointer == pointer
    assert caught.value.fix


DEEPER = {"architecture": {"name": "conv-net", "width": 4}, "search_space": {"depth": [3, 4]}}
BY_NAME = [{**row, "kind": "convs.1"} for row in ROWS if row["kind"] == "conv"]
LINEAR = [row for row in ROWS if row["kind"] == "linear"]


@pytest.mark.parametrize(
    ("changes", "pointer", "told"),
    [
        ({"cost_table": [*ROWS, *BY_NAME]}, "/cost_table", "convs.1, which has several sizes"),
        ({"cost_table": LINEAR}, "/cost_table", "convs.1 .*, with depth 3"),
        ({"cost_table": [*ROWS, {**EIGHTS[0], "kind": "convs.4"}]}, "/cost_table", "names convs.4"),
        ({"reference_rates": {"convs.4": 0.5}}, "/reference_rates", "convs.4"),
    ],
)
def test_costs_have_to_fit_every_architecture(tmp_path, changes, pointer, told):
    with pytest.raises(InvalidInputError, match=told) as caught:
        plan_job(job(**DEEPER, **changes), tmp_path)
    assert caught.value.pointer == pointer
    assert caught.value.fix


def test_rates_of_layers_that_not_every_architecture_has_are_planned(tmp_path):
    plan_job(job(**DEEPER, reference_rates={"convs.3": 0.5}, cost_table=ROWS, **BY_TABLE), tmp_path)


def test_a_table_in_rows_or_as_text_is_the_same_job_and_is_planned(tmp_path):
    rows, text = job(cost_table=ROWS, **BY_TABLE), job(cost_table=TABLE, **BY_TABLE)
    assert rows == text
    assert rows.digest() == text.digest()
    plan = plan_job(rows, tmp_path)
    macs = sum(layer.macs for layer in plan.layers if layer.fixed is None)
    assert plan.cost_ranges["table"] == pytest.approx((macs, 8 * 6 * 4 * macs))
    whole = {"budget": {"metric": "table", "max": [1e9], "scope": "all"}}
    plan_job(job(cost_table=[*ROWS, *EIGHTS], **whole), tmp_path)


def test_a_job_without_a_table_has_no_reach_of_it(tmp_path):
    found = plan_job(job(), tmp_path).cost_ranges
    assert set(found) == set(COST_VERSIONS) - {"table"}
