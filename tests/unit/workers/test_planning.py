"""A job is checked whole before anything is stored, and every error points at its field."""

import math
from dataclasses import replace

import pytest
import torch

from models.allocation import Bounds
from models.cost import COST_VERSIONS, CostTable, LayerShape
from models.cost.table import CostRow
from models.errors import BitfrontError, InfeasibleError, InvalidInputError, UnknownNameError
from models.targets import Targets
from search.job import JobSpec, TrainingSpec
from search.recipe import telling
from search.strategies import make_strategy
from search.strategy import proposal_to_json
from workers.checks import check_limits
from workers.planning import fingerprint, plan_job, study_context

FIXED = {"kind": "fixed_bits", "allocation": {"a": 1}, "note": {"budget": 2}}
LEARNED = {
    "kind": "learn_bits",
    "budget": {"metric": "bit_budget", "maximum": 2.0, "scope": "searched"},
    "note": {},
}


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


def test_chosen_settings_train_the_same_as_named_ones():
    chosen = {**FIXED, "settings": {"depth": 3, "width": 8}}
    named = job(architecture={"name": "conv-net", "width": 8, "depth": 3})
    assert fingerprint(searching(), chosen, 0) == fingerprint(named, FIXED, 0)
    assert fingerprint(searching(), chosen, 0) != fingerprint(searching(), FIXED, 0)
    other = {**FIXED, "settings": {"depth": 3, "width": 4}}
    assert fingerprint(searching(), chosen, 0) != fingerprint(searching(), other, 0)


def test_the_fingerprint_of_a_job_without_a_search_space_is_that_of_before(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    learned = fingerprint(job(), LEARNED, 3, data_stamp="x")
    assert fingerprint(job(), FIXED, 0).startswith("ccadae078a5dd019d450fb889987eb10")
    assert learned.startswith("5e0df5fc76ec636e6892cc630c17b682")


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


@pytest.mark.parametrize(
    ("limits", "changes", "same"),
    [
        ({}, {"hardware": {"rows": 4}, "cost_table": ROWS}, True),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"rows": 4}}, False),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"clock_mhz": 400}}, True),
        ({"budget": {"metric": "cycles", "max": [1e9]}}, {"hardware": {"energies": {"add": 1}}}, True),
        ({"constraints": [{"metric": "energy_uj", "max": 9}]}, {"hardware": {"energies": {"add": 1}}}, False),
        ({"constraints": [{"metric": "energy_uj", "max": 9}]}, {"hardware": {"rows": 4}}, True),
        ({}, {"reference_rates": {"convs.1": 0.5}}, True),
        ({"budget": {"metric": "sops", "max": [1e9]}}, {"reference_rates": {"convs.1": 0.5}}, False),
        ({**BY_TABLE, "cost_table": ROWS}, {"cost_table": [{**row, "cost": 9} for row in ROWS]}, False),
    ],
)
def test_hardware_and_tables_tell_trainings_apart_where_they_steer(limits, changes, same):
    first, second = job(**limits), job(**{**limits, **changes})
    assert fingerprint(first, FIXED, 0) == fingerprint(second, FIXED, 0)
    assert (fingerprint(first, LEARNED, 0) == fingerprint(second, LEARNED, 0)) is same


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


@pytest.mark.parametrize(
    ("changes", "proposal", "same"),
    [
        ({"name": "another"}, FIXED, True),
        ({"budget": {"max": [8]}, "methods": ["random"]}, FIXED, True),
        ({"bits": {"weight": [1, 4]}}, FIXED, True),
        ({"bits": {"weight": [1, 4]}}, LEARNED, False),
        ({"training": {"epochs": 4}}, FIXED, False),
        ({"dataset": {"name": "digits"}}, FIXED, False),
        ({"compute": {"cpus_per_trial": 2}}, FIXED, False),
        ({"bits": {"learn": ["steps", "spike", "weight"]}}, LEARNED, True),
        ({"bits": {"learn": ["weight"]}}, LEARNED, False),
        ({"bits": {"learn": ["weight"]}}, FIXED, True),
        ({"bits": {"weight_per": "layer"}}, LEARNED, True),
        ({"bits": {"weight_per": "channel"}}, LEARNED, False),
        ({"bits": {"weight_per": "channel"}}, FIXED, True),
        ({"training": {"epochs": 3, "neuron": {"leak": 1.0}}}, FIXED, True),
        ({"training": {"epochs": 3, "neuron": {"leak": 0.9}}}, FIXED, False),
    ],
)
def test_a_fingerprint_holds_what_the_result_depends_on_and_nothing_else(changes, proposal, same):
    assert (fingerprint(job(), proposal, 0) == fingerprint(job(**changes), proposal, 0)) is same


def test_warm_evolution_opens_with_trainings_of_the_other_studies(tmp_path):
    spec = job(methods=["gradient", "evolution-warm"], compute={"trials_per_study": 4})
    context = study_context(spec, plan_job(spec, tmp_path), seed=0)

    def asked(method):
        return {fingerprint(spec, proposal_to_json(one), 0) for one in make_strategy(method, context).ask()}

    opening = asked("evolution-warm")
    assert len(opening) == 4
    assert opening <= asked("gradient") | asked("uniform")


def test_a_fingerprint_forgets_the_note_but_not_the_seed_or_the_data():
    told = {**FIXED, "note": {"budget": 99}}
    assert fingerprint(job(), FIXED, 0) == fingerprint(job(), told, 0)
    assert fingerprint(job(), FIXED, 0) != fingerprint(job(), FIXED, 1)
    assert fingerprint(job(), FIXED, 0) != fingerprint(job(), FIXED, 0, data_stamp="other")


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


def test_an_option_at_its_default_changes_no_fingerprint_of_before():
    told = telling(TrainingSpec(epochs=3))
    assert set(told) == {
        *("epochs", "batch_size", "lr", "momentum", "weight_decay", "label_smoothing", "renewal"),
    }
    assert telling(TrainingSpec(loss="tet", accumulate=2)).items() >= {"loss": "tet", "accumulate": 2}.items()


def test_a_job_stored_before_the_options_can_still_be_read():
    new = {"renewal_stop", "renewal_min_epoch", "target_weights", "neuron", "loss", "tet", "warm_start"}
    new |= {"augment", "precision", "accumulate", "memory_format"}
    old = job().to_json()
    old["training"] = {name: value for name, value in old["training"].items() if name not in new}
    old["bits"] = {name: old["bits"][name] for name in ("weight", "spike", "steps", "search_first_layer")}
    del old["targets"]
    assert JobSpec.model_validate(old) == job()


def test_a_study_knows_what_learns_from_where_and_towards_what(tmp_path):
    spec = job(
        bits={"learn": ["spike"], "initial": {"steps": 1}},
        targets=[{"weight": 3, "spike": 2, "steps": 1.5}],
        methods=["random"],
    )
    context = study_context(spec, plan_job(spec, tmp_path), seed=0)
    assert context.options.learning_bounds() == Bounds(weight=(4, 4), spike=(1, 6), steps=(1, 1))
    assert context.targets == (Targets(weight=3, spike=2, steps=1.5),)
