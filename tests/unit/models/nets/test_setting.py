"""Settings: a whole number, a real number or a choice, each checked with its fix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from models.nets import ChoiceSetting, RealSetting, WholeSetting
from models.nets.setting import checked

KNOWN = {
    "width": WholeSetting(default=16, minimum=1, maximum=512),
    "rate": RealSetting(default=0.5, minimum=0.0, maximum=1.0),
    "stem": ChoiceSetting(default="cifar", choices=("cifar", "imagenet")),
}


def test_settings_left_out_have_their_defaults():
    assert checked(KNOWN, {}) == {"width": 16, "rate": 0.5, "stem": "cifar"}
    assert checked(KNOWN, {"stem": "imagenet"})["stem"] == "imagenet"


@given(value=st.one_of(st.integers(0, 1), st.floats(0, 1)))
def test_a_real_setting_takes_numbers_of_either_type(value):
    assert checked(KNOWN, {"rate": value})["rate"] == value


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5"])
def test_what_is_no_number_of_the_range_is_refused(value):
    with pytest.raises(InvalidInputError, match="from 0 to 1") as caught:
        checked(KNOWN, {"rate": value})
    assert caught.value.pointer == "/architecture/rate"


@pytest.mark.parametrize("value", ["CIFAR", "", 3, True])
def test_a_word_that_is_no_choice_is_answered_with_the_choices(value):
    with pytest.raises(InvalidInputError, match="cifar, imagenet") as caught:
        checked(KNOWN, {"stem": value})
    assert caught.value.pointer == "/architecture/stem"
