"""The jobs of a batch: their order, their names, what tells them apart, and where their fields are from."""

from __future__ import annotations

import pytest

from models.errors import InvalidInputError
from service.batches.expansion import combinations, overrides, pointer_in_batch
from service.batches.spec import BatchSpec

TEMPLATE = {"name": "sweep", "architecture": {"name": "mlp", "width": 8}, "budget": {"max": [2, 4]}}


def batch(**fields):
    return BatchSpec.model_validate({"template": TEMPLATE, **fields})


def documents(spec):
    return [one.document for one in combinations(spec)]


def test_a_grid_has_every_combination_and_its_last_field_varies_first():
    spec = batch(grid={"/architecture/width": [8, 16], "seeds": [[0], [1], [2]]})
    found = documents(spec)
    assert [(one["architecture"]["width"], one["seeds"]) for one in found] == [
        (width, [seed]) for width in (8, 16) for seed in (0, 1, 2)
    ]
    assert [one["name"] for one in found] == [f"sweep.{number}" for number in range(1, 7)]
    assert all(one["budget"] is TEMPLATE["budget"] for one in found)


def test_a_list_patches_the_template_and_goes_with_a_grid():
    spec = batch(
        jobs=[{"architecture": {"name": "resnet20"}}, {"architecture": {"width": None}, "name": "own"}],
        grid={"/budget/max/0": [1]},
    )
    first, second = documents(spec)
    assert first["architecture"] == {"name": "resnet20", "width": 8}
    assert second["architecture"] == {"name": "mlp"}
    assert [one["budget"]["max"] for one in (first, second)] == [[1, 4], [1, 4]]
    assert [one["name"] for one in (first, second)] == ["sweep.1", "own"]


def test_without_a_template_the_list_holds_whole_jobs():
    spec = BatchSpec.model_validate({"name": "all", "jobs": [{"seeds": [0]}, {"seeds": [1], "name": "b"}]})
    assert documents(spec) == [{"seeds": [0], "name": "all.1"}, {"seeds": [1], "name": "b"}]


def test_numbers_are_as_long_as_the_greatest_and_long_names_are_cut_for_them():
    grid = {"/seeds": [[seed] for seed in range(100)]}
    names = [one["name"] for one in documents(batch(grid=grid))]
    assert (names[0], names[-1]) == ("sweep.001", "sweep.100")
    long = batch(template=TEMPLATE | {"name": "n" * 64}, grid=grid)
    assert {len(one["name"]) for one in documents(long)} == {64}
    too_long = batch(template=TEMPLATE | {"name": "n" * 65}, grid=grid)
    assert documents(too_long)[0]["name"] == "n" * 65  # left for the check of the job to refuse


def test_a_single_job_keeps_its_name():
    assert documents(batch(grid={"/seeds": [[3]]}))[0]["name"] == "sweep"


def test_overrides_are_what_is_not_the_same_in_all_jobs():
    spec = batch(grid={"/architecture/width": [8, 16], "/seeds": [[0]]}, jobs=[{}, {"labels": {"a": "b"}}])
    assert overrides(combinations(spec)) == [
        {"/architecture/width": 8},
        {"/architecture/width": 16},
        {"/architecture/width": 8, "/labels/a": "b"},
        {"/architecture/width": 16, "/labels/a": "b"},
    ]


@pytest.mark.parametrize(
    ("fields", "pointer", "reason"),
    [
        ({}, "", "nothing to vary"),
        ({"grid": {}, "jobs": []}, "", "nothing to vary"),
        ({"grid": {"/seeds": [[seed] for seed in range(501)]}}, "/grid", "the batch has 501 jobs"),
        ({"jobs": [{}] * 501}, "/jobs", "the batch has 501 jobs"),
        ({"grid": {f"a.f{n}": list(range(10)) for n in range(30)}}, "/grid", f"the batch has {10**30} jobs"),
        ({"grid": {"": [1]}}, "/grid/", "names no field"),
        ({"grid": {"/seeds": [[0], [0]]}}, "/grid/~1seeds/1", "is there twice"),
        ({"grid": {"/seeds": [[0]], "seeds": [[1]]}}, "/grid/seeds", "set the same field"),
        (
            {"grid": {"/architecture/width": [1], "/architecture": [{}]}},
            "/grid/~1architecture",
            "set the same field",
        ),
        ({"grid": {"/budget/max/2": [1]}}, "/grid/~1budget~1max~12", "there is no entry 2"),
        ({"grid": {"/constraints/0/max": [1]}}, "/grid/~1constraints~10~1max", "there is no list"),
        ({"grid": {"/name/x": [1]}}, "/grid/~1name~1x", "neither an object nor a list"),
    ],
)
def test_what_cannot_be_expanded_is_refused_by_its_place(fields, pointer, reason):
    with pytest.raises(InvalidInputError, match=reason) as caught:
        combinations(batch(**fields))
    assert caught.value.pointer == pointer


def test_a_field_is_found_where_the_body_decides_on_it():
    spec = batch(
        jobs=[{"training": {"epochs": 3}}, {}],
        grid={"architecture.width": [8, 16], "/bits/x": [1]},
    )
    one = combinations(spec)[1]
    places = {
        ("architecture", "width"): "/grid/architecture.width/1",
        ("bits", "x"): "/grid/~1bits~1x/0",
        ("bits",): "/grid/~1bits~1x",  # the grid alone brought it in
        ("architecture",): "/template/architecture",
        ("training", "epochs"): "/jobs/0/training/epochs",
        ("budget", "max", "0"): "/template/budget/max/0",
    }
    assert {place: pointer_in_batch(spec, one, place) for place in places} == places


def test_the_order_of_fields_does_not_change_the_digest_but_values_do():
    one = batch(grid={"/seeds": [[0]], "/architecture/width": [1]})
    other = batch(grid={"/architecture/width": [1], "/seeds": [[0]]})
    assert one.digest() == other.digest() != batch(grid={"/seeds": [[0]]}).digest()
