"""Search spaces: which architectures they have, in what order, and which of them is the nearest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from search.architecture import architectures_of, chosen_of, nearest, space_of, words
from search.job import JobSpec

SPACE = {"kernel": [3, 5], "shortcut": ["padded", "projected"], "width": [4, 8, 16]}
SPACES = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.integers(0, 9), min_size=2, max_size=3, unique=True), max_size=3
)


def job(**changes: Any) -> JobSpec:
    base = {
        "name": "small",
        "architecture": {"name": "conv-net", "kernel": 5},
        "dataset": {"name": "digits"},
        "budget": {"max": [2]},
    }
    return JobSpec.model_validate({**base, **changes})


@given(space=SPACES)
def test_a_space_has_every_combination_once_and_is_known_from_them(space: dict[str, list[Any]]) -> None:
    found = architectures_of(space)
    assert len(set(found)) == len(found)
    assert space_of(found) == space
    assert {tuple(dict(chosen).values()) for chosen in found} == {
        tuple(value for _, value in chosen) for chosen in found
    }
    assert found[0] == tuple((name, space[name][0]) for name in sorted(space))


def test_names_are_in_one_order_however_they_were_stored() -> None:
    assert chosen_of({"width": 4, "kernel": 3}) == chosen_of({"kernel": 3, "width": 4})
    first, second = ({"width": [4, 8], "kernel": [3, 5]}, {"kernel": [3, 5], "width": [4, 8]})
    assert architectures_of(first) == architectures_of(second)
    assert (
        job(search_space=first, architecture={"name": "a"}).digest()
        == job(search_space=second, architecture={"name": "a"}).digest()
    )


def test_the_nearest_changes_few_settings_before_small_ones() -> None:
    wanted = chosen_of({"kernel": 3, "shortcut": "padded", "width": 4})
    far = chosen_of({"kernel": 3, "shortcut": "padded", "width": 16})
    near = chosen_of({"kernel": 3, "shortcut": "padded", "width": 8})
    two = chosen_of({"kernel": 5, "shortcut": "projected", "width": 4})
    assert nearest(wanted, [two, far], SPACE) == far
    assert nearest(wanted, [two, far, near], SPACE) == near
    assert nearest(wanted, [near, wanted], SPACE) == wanted
    assert nearest((), [()], {}) == ()


def test_a_job_on_one_architecture_names_its_settings_and_searches_no_more() -> None:
    spec = job(search_space={"width": [4, 8]})
    here = spec.on((("width", 8),))
    assert here.architecture.settings == {"kernel": 5, "width": 8}
    assert here.architectures() == ((),)
    assert here.digest() == job(architecture={"name": "conv-net", "kernel": 5, "width": 8}).digest()
    assert JobSpec.model_validate(spec.to_json()) == spec


def test_a_job_without_a_search_space_is_stored_as_before_there_was_any() -> None:
    assert "search_space" not in job().to_json()
    assert job().on(()) == job()
    assert job().digest() == job(search_space={}).digest()


@pytest.mark.parametrize(
    "space",
    [{"width": [1, 1]}, {"width": [2]}, {"a": list(range(17))}, dict.fromkeys("abc", tuple(range(7)))],
)
def test_too_much_or_too_little_is_refused(space: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="search_space"):
        job(search_space=space)


def test_people_read_settings_by_name() -> None:
    assert words(chosen_of({"width": 4, "shortcut": "padded"})) == "shortcut padded, width 4"
