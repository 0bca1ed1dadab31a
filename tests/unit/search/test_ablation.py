"""The variants of an ablation: what each holds, what each learns, and which share a job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.allocation import FIRST_LAYER_BITS, LayerBits
from models.cost import LayerShape
from models.errors import InfeasibleError
from search.ablation import GROUPS, AblationSpec, Variant, ablation_variants
from search.ablation_groups import uniform_bits
from search.job import JobSpec

LAYERS = (
    LayerShape(name="stem", kind="conv", macs=90, weights=14, inputs=64, biases=1, fixed=FIRST_LAYER_BITS),
    LayerShape(name="body", kind="conv", macs=1_500, weights=230, inputs=100, biases=1),
    LayerShape(name="head", kind="linear", macs=320, weights=32, inputs=32, biases=1),
)


def job(**changes: Any) -> JobSpec:
    fields = {
        "name": "base",
        "architecture": {"name": "conv-net", "width": 4},
        "dataset": {"name": "digits"},
        "budget": {"max": [4, 2]},
    }
    return JobSpec.model_validate({**fields, **changes})


def variants(*groups: str, **changes: Any) -> tuple[Variant, ...]:
    chosen = {"groups": groups} if groups else {}
    return ablation_variants(AblationSpec.model_validate({"job": job(**changes), **chosen}), LAYERS)


def named(found: tuple[Variant, ...], name: str) -> Variant:
    return next(variant for variant in found if variant.name == name)


def test_every_group_has_its_variants():
    assert [(variant.group, variant.name) for variant in variants()] == [
        ("learned", "fixed"),
        ("learned", "time steps alone"),
        ("learned", "spike bits alone"),
        ("learned", "weight bits alone"),
        ("learned", "all together"),
        ("renewal", "none"),
        ("renewal", "closed form"),
        ("renewal", "search"),
        ("steps", "T = 1"),
        ("steps", "T = 2"),
        ("steps", "T learned"),
        ("targets", "one budget"),
        ("targets", "three targets"),
    ]


def test_groups_come_in_the_order_in_which_they_were_asked_for():
    assert [variant.group for variant in variants("targets", "renewal")] == ["targets"] * 2 + ["renewal"] * 3


@pytest.mark.parametrize("groups", [[], ["learned", "learned"], ["nonsense"]])
def test_groups_that_cannot_be_are_refused(groups):
    with pytest.raises(ValidationError):
        AblationSpec.model_validate({"job": job(), "groups": groups})


def test_seeds_budgets_and_the_rest_of_the_recipe_stay_and_every_variant_trains_once_per_budget():
    found = variants(seeds=[3, 4], training={"epochs": 5}, constraints=[{"metric": "weight_kib", "max": 3}])
    for variant in found:
        assert [limit.maximum for one in variant.jobs for limit in one.budgets()] == [2, 4]
        for one in variant.jobs:
            assert one.compute.trials_per_study == len(one.budget.max)
            assert (one.seeds, one.training.epochs, len(one.constraints)) == ((3, 4), 5, 1)
            assert one.methods == (variant.method,)
            assert one.architecture.settings == {"width": 4}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("time steps alone", "steps"), ("spike bits alone", "spike"), ("weight bits alone", "weight")],
)
def test_what_is_not_learned_stays_at_the_fixed_bits_of_the_budget(name, kind):
    for one in named(variants("learned"), name).jobs:
        bits = uniform_bits(job(), LAYERS, one.budgets()[0])
        fixed = {"steps": bits.steps, "spike": bits.spike_bits[0], "weight": bits.weight_bits}
        held = {other: getattr(one.bits.initial, other) for other in fixed if other != kind}
        assert one.bits.learn == (kind,)
        assert held == {other: value for other, value in fixed.items() if other != kind}
        assert getattr(one.bits.initial, kind) == getattr(job().bits.initial, kind)


def test_fixed_bits_are_those_of_uniform():
    assert uniform_bits(job(), LAYERS, job().budgets()[1]) == LayerBits.uniform(
        steps=1, spike_bits=2, weight_bits=2
    )
    assert named(variants("learned"), "fixed").jobs[0].methods == ("uniform",)


def test_without_fixed_bits_it_says_so():
    limit = job(budget={"max": [0.5]}).budgets()[0]
    with pytest.raises(InfeasibleError, match=r"within 0\.5"):
        uniform_bits(job(), LAYERS, limit)


def test_fixed_steps_are_held_and_the_bits_are_learned():
    for steps in (1, 2):
        for one in named(variants("steps"), f"T = {steps}").jobs:
            assert one.bits.initial.steps == steps
            assert set(one.bits.learn) == {"spike", "weight"}


def test_a_budget_that_fixed_steps_cannot_keep_is_left_out():
    found = variants("steps", budget={"max": [1.5, 4]})
    assert [one.budget.max for one in named(found, "T = 2").jobs] == [(4.0,)]
    assert len(named(found, "T = 1").jobs) == 2
    assert "T = 2" not in [one.name for one in variants("steps", budget={"max": [1.5]})]
    assert "T = 2" not in [one.name for one in variants("steps", bits={"steps": [1, 1]})]


def test_renewals_and_methods_differ_in_nothing_else():
    renewals = [one.jobs[0].training.renewal for one in variants("renewal")]
    assert renewals == ["none", "closed_form", "search"]
    methods = [one.jobs[0].methods for one in variants("targets")]
    assert methods == [("gradient",), ("gradient-targets",)]


def test_equal_variants_share_a_job_across_groups():
    found = variants()
    shared = {named(found, name).jobs[0].digest() for name in ("all together", "search", "one budget")}
    shared.add(named(found, "T learned").jobs[0].digest())
    assert len(shared) == 1
    assert named(found, "one budget").jobs[0].name == "base.all-learned"  # the name that came first
    learned_elsewhere = variants(training={"renewal": "none"})
    assert named(learned_elsewhere, "all together").jobs == named(learned_elsewhere, "none").jobs


@settings(max_examples=8)
@given(
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    budgets=st.sets(st.floats(1, 1e9, allow_nan=False), min_size=1, max_size=4),
)
def test_no_two_different_jobs_are_equal_and_every_name_can_be_one(name, budgets):
    few = {"weight": [1, 3], "spike": [1, 2], "steps": [1, 2]}
    found = variants(name=name, budget={"max": sorted(budgets)}, bits=few)
    jobs = {one.digest(): one for variant in found for one in variant.jobs}
    contents = {one.model_copy(update={"name": ""}).digest() for one in jobs.values()}
    assert len(contents) == len(jobs)
    assert {variant.group for variant in found} == set(GROUPS)
