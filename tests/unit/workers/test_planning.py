"""A job is checked whole before anything is stored, and every error points at its field."""

import math
from dataclasses import replace

import pytest

from models.allocation import Bounds
from models.cost import LayerShape
from models.errors import BitfrontError, InfeasibleError, InvalidInputError, UnknownNameError
from models.targets import Targets
from search.job import JobSpec
from search.strategies import make_strategy
from search.strategy import proposal_to_json
from workers.checks import check_limits
from workers.planning import fingerprint, plan_job, study_context


def job(**changes):
    return JobSpec.model_validate(
        {
            "name": "small",
            "architecture": {"name": "conv-net", "width": 4},
            "dataset": {"name": "digits", "train_samples": 200},
            "budget": {"max": [4, 2]},
            "training": {"epochs": 3},
            **changes,
        }
    )


def test_a_plan_has_the_layer_table_the_reach_of_each_cost_and_the_compute(tmp_path):
    plan = plan_job(job(), tmp_path)
    assert [layer.name for layer in plan.layers] == ["convs.0", "convs.1", "convs.2", "convs.3", "classifier"]
    assert plan.cost_ranges["bit_budget"] == pytest.approx((1.0, 8 * 6 * 4))
    assert all(least < greatest for least, greatest in plan.cost_ranges.values())
    assert plan.samples_per_trial == 600


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"architecture": {"name": "resnet9000"}}, UnknownNameError, "/architecture/name"),
        ({"architecture": {"name": "conv-net", "height": 3}}, InvalidInputError, "/architecture/height"),
        ({"architecture": {"name": "conv-net", "width": 0}}, InvalidInputError, "/architecture/width"),
        ({"architecture": {"name": "conv-net", "width": "wide"}}, InvalidInputError, "/architecture/width"),
        ({"dataset": {"name": "no-such-images"}}, UnknownNameError, "/dataset/name"),
        (
            {"dataset": {"name": "digits", "train_samples": 10**6}},
            InvalidInputError,
            "/dataset/train_samples",
        ),
        ({"dataset": {"name": "digits", "train_samples": 1}}, InvalidInputError, "/dataset/train_samples"),
        ({"methods": ["gradient", "magic"]}, UnknownNameError, "/methods/1"),
        ({"budget": {"max": [4, 0.5]}}, InfeasibleError, "/budget/max/1"),
        ({"constraints": [{"metric": "weight_kib", "max": 0.01}]}, InfeasibleError, "/constraints/0/max"),
        ({"methods": ["gradient"], "bits": {"learn": ["weight"]}}, InfeasibleError, "/bits/learn"),
        ({"methods": ["evolution-warm"], "bits": {"learn": ["weight"]}}, InfeasibleError, "/bits/learn"),
        ({"targets": [{"weight": 3, "spike": 2, "steps": 3.5}]}, InvalidInputError, "/targets/0/steps"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_its_field(tmp_path, changes, error, pointer):
    with pytest.raises(error) as caught:
        plan_job(job(**changes), tmp_path)
    assert caught.value.pointer == pointer
    assert caught.value.fix


@pytest.mark.parametrize(
    ("changes", "error", "pointer", "text"),
    [
        ({"search_space": {"height": [4, 8]}}, InvalidInputError, "/search_space/height", "height"),
        ({"search_space": {"width": [4, 0]}}, InvalidInputError, "/search_space/width/1", "1 to 512"),
        ({"search_space": {"kernel": [3, "x"]}}, InvalidInputError, "/search_space/kernel/1", "1 to 7"),
        ({"search_space": {"kernel": [3, 4]}}, InvalidInputError, "/search_space/kernel", "with kernel 4"),
        (
            {"architecture": {"name": "conv-net", "width": 4}, "search_space": {"width": [4, 8]}},
            *(InvalidInputError, "/search_space/width", "nothing to choose"),
        ),
        (
            {"search_space": {"width": [4, 8]}, "architecture": {"name": "no-net"}},
            *(UnknownNameError, "/architecture/name", "no-net"),
        ),
        ({"methods": ["random", "hybrid"]}, InvalidInputError, "/methods/1", "Add search_space"),
        (
            {"search_space": {"width": [4, 8]}, "budget": {"max": [0.5]}},
            *(InfeasibleError, "/budget/max/0", "least achievable is 1"),
        ),
        (
            {
                "search_space": {"width": [4, 8]},
                "constraints": [{"metric": "weight_kib", "max": 0.01}],
            },
            *(InfeasibleError, "/constraints/0/max", "with width 4"),
        ),
        (
            {"search_space": {"width": [64, 4]}, "constraints": [{"metric": "weight_kib", "max": 2}]},
            *(InfeasibleError, "/methods/0", "with width 64"),
        ),
        (
            {
                "search_space": {"width": [64, 4]},
                "constraints": [{"metric": "weight_kib", "max": 2}],
                "methods": ["random", "uniform-front"],
            },
            *(InfeasibleError, "/methods/1", "with width 64"),
        ),
        (
            {"search_space": {"width": [4, 8]}, "budget": {"metric": "cycles", "max": [1]}},
            *(InfeasibleError, "/budget/max/0", "with width 4"),
        ),
        (
            {
                "search_space": {"width": [64, 4]},
                "constraints": [{"metric": "weight_kib", "max": 2}],
                "methods": ["hybrid"],
                "bits": {"learn": ["steps"]},
            },
            *(InfeasibleError, "/bits/learn", "bit_budget"),
        ),
    ],
)
def test_a_search_space_that_cannot_be_planned_is_refused_with_its_field(
    tmp_path, changes, error, pointer, text
):
    with pytest.raises(error) as caught:
        plan_job(job(**{"architecture": {"name": "conv-net"}, **changes}), tmp_path)
    assert caught.value.pointer == pointer
    assert text in str(caught.value)
    assert caught.value.fix


def searching(**changes):
    return job(
        **{
            "architecture": {"name": "conv-net"},
            "search_space": {"width": [8, 4], "depth": [3, 4]},
            **changes,
        }
    )


def test_limits_that_no_one_architecture_keeps_together_are_refused():
    spec = searching(
        constraints=[{"metric": "weight_kib", "max": 0.5}, {"metric": "spike_kib", "max": 0.5}],
        methods=["random"],
    )
    heavy = LayerShape(name="a", kind="conv", macs=10, weights=8_192, inputs=10, biases=1)
    light = replace(heavy, weights=10, inputs=8_192)
    tables = {(("width", 4),): (heavy,), (("width", 8),): (light,)}
    with pytest.raises(InfeasibleError, match=r"weight_kib <= 0\.5, spike_kib <= 0\.5") as caught:
        check_limits(spec, tables)
    assert caught.value.pointer == "/budget/max/0"
    check_limits(spec, {**tables, (("width", 2),): (replace(light, inputs=10),)})


def test_a_plan_has_the_table_of_every_architecture_and_reaches_over_all(tmp_path):
    plan = plan_job(searching(), tmp_path)
    assert list(plan.tables) == [
        *((("depth", 3), ("width", 8)), (("depth", 3), ("width", 4))),
        *((("depth", 4), ("width", 8)), (("depth", 4), ("width", 4))),
    ]
    assert plan.layers == plan.tables[("depth", 3), ("width", 8)]
    alone = [
        plan_job(job(architecture={"name": "conv-net", "depth": depth, "width": width}), tmp_path)
        for depth in (3, 4)
        for width in (8, 4)
    ]
    assert list(plan.tables.values()) == [one.layers for one in alone]
    for metric, (least, greatest) in plan.cost_ranges.items():
        assert least == min(one.cost_ranges[metric][0] for one in alone)
        assert greatest == max(one.cost_ranges[metric][1] for one in alone)


def test_a_study_of_a_search_space_knows_every_table(tmp_path):
    plan = plan_job(searching(), tmp_path)
    context = study_context(searching(), plan, seed=0)
    assert context.settings == (("depth", 3), ("width", 8))
    assert (context.layers, context.tables) == (plan.layers, plan.tables)
    assert context.on((("depth", 4), ("width", 4))).layers == plan.tables[("depth", 4), ("width", 4)]


def test_a_truth_value_is_no_width_even_after_the_width_one_was_planned(tmp_path):
    plan_job(job(architecture={"name": "conv-net", "width": 1}), tmp_path)
    with pytest.raises(InvalidInputError, match="width is True"):
        plan_job(job(architecture={"name": "conv-net", "width": True}), tmp_path)


def test_an_unreachable_budget_is_told_the_least_achievable_cost(tmp_path):
    with pytest.raises(BitfrontError, match="least achievable is 1"):
        plan_job(job(budget={"max": [0.5]}), tmp_path)


def test_a_study_knows_its_budgets_from_the_least_to_the_greatest(tmp_path):
    context = study_context(job(), plan_job(job(), tmp_path), seed=7)
    assert [limit.maximum for limit in context.budgets] == [2, 4]
    assert context.seed == 7
    assert math.isclose(context.trials, 12)


def test_warm_evolution_opens_with_trainings_of_the_other_studies(tmp_path):
    spec = job(methods=["gradient", "evolution-warm"], compute={"trials_per_study": 4})
    context = study_context(spec, plan_job(spec, tmp_path), seed=0)

    def asked(method):
        return {fingerprint(spec, proposal_to_json(one), 0) for one in make_strategy(method, context).ask()}

    opening = asked("evolution-warm")
    assert len(opening) == 4
    assert opening <= asked("gradient") | asked("uniform")


def test_what_cannot_be_learned_away_is_told_with_the_least_achievable_cost(tmp_path):
    with pytest.raises(InfeasibleError, match="least achievable is 8"):
        plan_job(job(methods=["gradient"], bits={"learn": ["weight"]}), tmp_path)
    plan_job(job(methods=["random"], bits={"learn": ["weight"]}), tmp_path)
    plan_job(job(methods=["gradient"], bits={"learn": ["weight"]}, budget={"max": [8]}), tmp_path)


def test_a_method_for_small_spaces_counts_the_parameters_that_are_open(tmp_path):
    plan_job(job(methods=["optuna-gp"]), tmp_path)
    deep = {"architecture": {"name": "resnet20", "width": 4}, "methods": ["random", "optuna-gp"]}
    with pytest.raises(InvalidInputError, match=r"at most 30 parameters; this job has 57") as caught:
        plan_job(job(**deep), tmp_path)
    assert caught.value.pointer == "/methods/1"
    assert "optuna-tpe" in caught.value.fix
    plan_job(job(**deep, bits={"spike": [1, 1], "steps": [1, 1]}), tmp_path)


def test_step_sizes_of_channels_count_for_what_is_learned_alone(tmp_path):
    constraints = [{"metric": "weight_kib", "max": plan_job(job(), tmp_path).cost_ranges["weight_kib"][0]}]
    plan_job(job(constraints=constraints), tmp_path)
    channels = {"constraints": constraints, "bits": {"weight_per": "channel"}}
    plan_job(job(methods=["random"], **channels), tmp_path)
    with pytest.raises(InfeasibleError, match="weight_kib") as caught:
        plan_job(job(methods=["gradient"], **channels), tmp_path)
    assert caught.value.pointer == "/bits/learn"


def test_a_study_knows_what_learns_from_where_and_towards_what(tmp_path):
    spec = job(
        bits={"learn": ["spike"], "initial": {"steps": 1}},
        targets=[{"weight": 3, "spike": 2, "steps": 1.5}],
        methods=["random"],
    )
    context = study_context(spec, plan_job(spec, tmp_path), seed=0)
    assert context.options.learning_bounds() == Bounds(weight=(4, 4), spike=(1, 6), steps=(1, 1))
    assert context.targets == (Targets(weight=3, spike=2, steps=1.5),)
