"""Where a training computes, and in which format and precision."""

import pytest
import torch

from models.errors import InvalidInputError
from models.layers import LayerOptions
from models.nets import build_network
from search.job import JobSpec
from workers.placement import placement_of


def job(gpus=0, **training):
    return JobSpec(
        name="small",
        architecture={"name": "conv-net", "width": 4},
        dataset={"name": "digits"},
        budget={"max": [2]},
        compute={"gpus_per_trial": gpus},
        training=training,
    )


def network():
    return build_network(
        "conv-net",
        {"width": 4},
        sample_shape=(1, 8, 8),
        classes=10,
        options=LayerOptions(),
        search_first_layer=False,
    )


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("auto", torch.channels_last),
        ("channels_last", torch.channels_last),
        ("contiguous", torch.contiguous_format),
    ],
)
def test_a_convolutional_network_and_its_images_get_the_memory_format(chosen, found):
    placement = placement_of(job(memory_format=chosen), network())
    assert placement.memory_format == found
    weight = placement.place(network()).layers["convs.3"].operator.weight
    assert weight.is_contiguous(memory_format=found)
    assert placement.batch(torch.zeros(2, 4, 8, 8)).is_contiguous(memory_format=found)


def test_frames_keep_their_format():
    frames = torch.zeros(3, 2, 4, 8, 8)
    assert placement_of(job(), network()).batch(frames).is_contiguous()


def test_a_network_without_maps_is_left_as_it_is():
    placement = placement_of(job(), torch.nn.Linear(3, 3))
    assert placement.memory_format == torch.contiguous_format


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_products_are_computed_in_the_precision(precision, dtype):
    with placement_of(job(precision=precision), network()).precision():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_promised_gpu_that_is_not_there_is_told():
    with pytest.raises(InvalidInputError, match="finds none") as caught:
        placement_of(job(gpus=1), network())
    assert caught.value.pointer == "/compute/gpus_per_trial"
