"""Training under cycles and under a table of one's own: within the budget, and not a bit below what fits."""

from dataclasses import replace

import pytest

from models.allocation import Allocation
from models.cost import CostTable, costs, layer_costs, limit_cost, within
from models.cost.table import CostRow
from search.job import JobSpec
from search.strategy import LearnBits, LearnFront, proposal_to_json
from service.store.limits import is_feasible
from workers.costing import recosted
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import run_trial

SMALL = {"rows": 4, "columns": 4, "bytes_per_cycle": 2}
TABLE = CostTable.of(
    CostRow(kind=kind, steps=t, spike_bits=s, weight_bits=w, cost=t * (s * w + 1))
    for kind in ("conv", "linear")
    for t in (1, 2, 4)
    for s in (1, 2, 4, 6)
    for w in (1, 2, 4, 8)
).to_csv()
SHARE = 0.25
"""Where a budget lies between the least and the greatest cost."""
ALMOST = 0.9
"""A bit more in one of four layers is several per cent of a cost; what is learned differs by processor."""


def job(metric, **changes):
    return JobSpec.model_validate(
        {
            "name": "small",
            "architecture": {"name": "conv-net", "width": 8},
            "dataset": {"name": "digits"},
            "budget": {"metric": metric, "max": [1e9]},
            "training": {"epochs": 2, "batch_size": 64},
            "hardware": SMALL,
            "cost_table": TABLE,
            **changes,
        }
    )


def run(spec, proposal, folder):
    request = TrialRequest(trial_id="a", spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=0)
    return run_trial(request, checkpoints=folder, data_folder=folder, threads=1, report=lambda _: None)


def budget_of(spec, layers_and_reach, share=SHARE):
    (least, greatest), metric = layers_and_reach.cost_ranges[spec.budget.metric], spec.budget.metric
    return spec.limit(metric, least + share * (greatest - least))


def raised(allocation, bounds):
    """Every allocation with one bit more."""
    for name, bits in allocation:
        richer = (
            [replace(bits, weight_bits=bits.weight_bits + 1)] if bits.weight_bits < bounds.weight[1] else []
        )
        for step, width in enumerate(bits.spike_bits):
            if width < bounds.spike[1]:
                widths = (*bits.spike_bits[:step], width + 1, *bits.spike_bits[step + 1 :])
                richer.append(replace(bits, spike_bits=widths))
        yield from (Allocation(layers={**allocation.layers, name: layer}) for layer in richer)


@pytest.mark.parametrize("metric", ["cycles", "energy_uj", "table"])
def test_a_learned_point_is_within_its_budget_and_could_afford_no_bit_more(tmp_path, metric):
    spec = job(metric)
    plan = plan_job(spec, tmp_path)
    budget = budget_of(spec, plan)
    (point,) = run(spec, LearnBits(budget=budget, note={}), tmp_path).points
    allocation = Allocation.from_json(point.allocation)
    spent = point.costs[budget.scope][metric]
    assert spent == limit_cost(budget, plan.layers, allocation)
    assert spent <= budget.maximum
    fits = any(within([budget], plan.layers, richer) for richer in raised(allocation, spec.bits.bounds()))
    assert not fits
    assert spent >= ALMOST * budget.maximum


def test_constraints_on_hardware_hold_beside_a_budget(tmp_path):
    spec = job("bit_budget")
    ranges = plan_job(spec, tmp_path).cost_ranges
    constraints = [{"metric": name, "max": 2 * ranges[name][0]} for name in ("cycles", "energy_uj", "table")]
    spec = job("bit_budget", constraints=constraints)
    (point,) = run(spec, LearnBits(budget=spec.limit("bit_budget", 16.0), note={}), tmp_path).points
    for limit in spec.constraint_limits():
        assert point.costs[limit.scope][limit.metric] <= limit.maximum


def test_a_descent_keeps_each_of_its_budgets_on_the_hardware_of_its_job(tmp_path):
    spec = job("cycles", training={"epochs": 3, "batch_size": 64})
    plan = plan_job(spec, tmp_path)
    budgets = tuple(budget_of(spec, plan, share) for share in (0.4, 0.1))
    points = run(spec, LearnFront(budgets=budgets, trials=1, note={}), tmp_path).points
    for budget, point in zip(budgets, points, strict=True):
        assert ALMOST * budget.maximum < point.costs["all"]["cycles"] <= budget.maximum
        richer = raised(Allocation.from_json(point.allocation), spec.bits.bounds())
        assert not any(within([budget], plan.layers, one) for one in richer)


def test_a_measured_budget_is_used_up_at_the_rates_of_the_network_itself(tmp_path):
    """Of reference rates, which are 1 here, half would be left over."""
    spec = job(
        "ns_ace",
        architecture={"name": "resnet20", "width": 4},
        dataset={"name": "digits", "train_samples": 400},
        training={"epochs": 5, "batch_size": 64},
        hardware={},
        cost_table=None,
    )
    plan = plan_job(spec, tmp_path)
    budget = budget_of(spec, plan, 0.02)
    (point,) = run(spec, LearnBits(budget=budget, note={}), tmp_path).points
    spent = point.costs["searched"]["ns_ace"]
    allocation = Allocation.from_json(point.allocation)
    rates = {name: sum(found) / len(found) for name, found in point.rates.items()}
    assert spent == pytest.approx(limit_cost(budget.at_rates(rates), plan.layers, allocation))
    assert 0.9 * budget.maximum < spent <= budget.maximum
    assert limit_cost(budget, plan.layers, allocation) > 1.5 * budget.maximum


def test_a_descent_keeps_each_of_its_measured_budgets(tmp_path):
    spec = job("ns_ace", training={"epochs": 4, "batch_size": 64})
    plan = plan_job(spec, tmp_path)
    budgets = tuple(budget_of(spec, plan, share) for share in (0.1, 0.03))
    points = run(spec, LearnFront(budgets=budgets, trials=1, note={}), tmp_path).points
    for budget, point in zip(budgets, points, strict=True):
        assert 0.85 * budget.maximum < point.costs["searched"]["ns_ace"] <= budget.maximum


@pytest.mark.parametrize("metric", ["ns_ace", "sops"])
def test_a_point_under_a_measured_cost_is_feasible_by_what_is_measured(tmp_path, metric):
    spec = job(metric)
    plan = plan_job(spec, tmp_path)
    budget = budget_of(spec, plan)
    (point,) = run(spec, LearnBits(budget=budget, note={}), tmp_path).points
    assert 0 < point.costs["searched"][metric] <= budget.maximum
    told = {**spec.to_json(), "budget": {"metric": metric, "max": [budget.maximum]}}
    assert is_feasible(JobSpec.model_validate(told), point.costs)
    measured = point.costs["searched"][metric]
    tight = JobSpec.model_validate({**told, "budget": {"metric": metric, "max": [0.99 * measured]}})
    assert not is_feasible(tight, point.costs)


def test_every_point_has_costs_on_hardware_also_where_the_job_names_none(tmp_path):
    spec = job("bit_budget", hardware={}, cost_table=None)
    layers = plan_job(spec, tmp_path).layers
    (point,) = run(spec, LearnBits(budget=spec.limit("bit_budget", 4.0), note={}), tmp_path).points
    assert point.costs["all"].keys() == plan_job(spec, tmp_path).cost_ranges.keys()
    allocation = Allocation.from_json(point.allocation)
    each = layer_costs(layers, allocation)
    assert sum(layer.cycles for layer in each) == pytest.approx(point.costs["all"]["cycles"])
    assert sum(layer.energy_uj for layer in each) == pytest.approx(point.costs["all"]["energy_uj"])
    other = job("table")
    again = recosted(point, layers, other.cost_basis())
    for scope in ("searched", "all"):
        assert again.costs[scope] == costs(layers, allocation, scope, point.rates, other.cost_basis())
    assert again.costs["searched"]["table"] > 0
    assert again.costs["all"]["cycles"] > point.costs["all"]["cycles"]
