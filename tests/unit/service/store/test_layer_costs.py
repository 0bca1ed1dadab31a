"""The costs of each layer of a stored point: as the job's plan and hardware have them, or not at all."""

import json
from dataclasses import replace

from models.allocation import FIRST_LAYER_BITS, Allocation, LayerBits
from models.cost import CostBasis, Hardware, LayerShape, costs
from service.api.jobs import stored_plan, view_of_plan
from service.store.layer_costs import point_layer_costs
from workers.planning import JobPlan

LAYERS = (
    LayerShape(name="f", kind="conv", macs=900, weights=9, inputs=4, biases=1, fixed=FIRST_LAYER_BITS),
    LayerShape(name="q", kind="attention", macs=64, weights=0, inputs=8, biases=0, partner="k"),
    LayerShape(name="k", kind="attention", macs=0, weights=0, inputs=8, biases=0),
)
BITS = Allocation(
    layers={
        "q": LayerBits(steps=2, spike_bits=(3, 1), weight_bits=1),
        "k": LayerBits.uniform(steps=1, spike_bits=4, weight_bits=1),
    }
)


def stored(job_spec):
    """The spec and the plan of a job as they are stored."""
    spec = job_spec(hardware={"rows": 2, "columns": 2, "bytes_per_cycle": 1})
    plan = JobPlan(layers=LAYERS, cost_ranges={}, samples_per_trial=1, data_stamp="")
    return spec.to_json(), view_of_plan(spec, plan).model_dump(mode="json")


def test_they_add_up_to_the_costs_of_the_whole_network(job_spec):
    found = point_layer_costs(*stored(job_spec), BITS.to_json(), {})
    basis = CostBasis(hardware=Hardware(rows=2, columns=2, bytes_per_cycle=1))
    whole = costs(LAYERS, BITS, "all", basis=basis)
    assert [(one.name, one.searched) for one in found] == [("f", False), ("q", True), ("k", True)]
    assert sum(one.cycles for one in found) == whole["cycles"]
    assert sum(one.energy_uj for one in found) == whole["energy_uj"]


def test_a_plan_of_an_earlier_version_leaves_out_layers_with_fixed_bits(job_spec):
    spec, plan = stored(job_spec)
    for row in plan["layers"]:
        del row["fixed"]
    found = point_layer_costs(spec, plan, BITS.to_json(), {})
    assert [one.name for one in found] == ["q", "k"]


def test_there_are_none_without_the_layers_of_the_point(job_spec):
    spec, plan = stored(job_spec)
    assert point_layer_costs(spec, {}, BITS.to_json(), {}) == []
    assert point_layer_costs(spec, plan, {"other": BITS.to_json()["q"]}, {}) == []


def test_they_are_those_of_the_architecture_that_was_chosen(job_spec):
    spec = job_spec(search_space={"width": [4, 8]})
    doubled = tuple(replace(layer, macs=2 * layer.macs) for layer in LAYERS)
    tables = {(("width", 4),): LAYERS, (("width", 8),): doubled}
    plan = JobPlan(layers=LAYERS, cost_ranges={}, samples_per_trial=1, data_stamp="", tables=tables)
    stored = json.loads(json.dumps(stored_plan(view_of_plan(spec, plan), plan)))
    for width, layers in ((4, LAYERS), (8, doubled)):
        found = point_layer_costs(spec.to_json(), stored, BITS.to_json(), {"width": width})
        assert sum(one.cycles for one in found) == costs(layers, BITS, "all")["cycles"]
    assert point_layer_costs(spec.to_json(), stored, BITS.to_json(), {"width": 6}) == []
