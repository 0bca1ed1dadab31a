"""Folders of images: small files in the layout of ImageNet, decoded only when they are asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import DataDamagedError, DataMissingError
from workers.data import image_stream
from workers.data.image_folder import ImageFolder
from workers.data.image_stream import ImageStream
from workers.data.splits import make_splits

CLASSES = ("n01", "n02", "n03")
COLOURS = ((200, 30, 40), (20, 210, 60), (50, 60, 220))


def write(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def written(folder: Path, *, each: int = 10, settings: str = '{"size": 16}') -> ImageFolder:
    """Images of one colour for each class, the file endings in turn."""
    for name, colour in zip(CLASSES, COLOURS, strict=True):
        for number in range(each):
            suffix = ("JPEG", "jpg", "png")[number % 3]
            write(folder / "train" / name / f"{number:02}.{suffix}", colour)
        write(folder / "val" / name / "0.png", colour)
    (folder / "images.json").write_text(settings)
    return ImageFolder(folder)


def stream_of(source: ImageFolder) -> ImageStream:
    stream = source.load().labelled.x_NCHW
    assert isinstance(stream, ImageStream)
    return stream


def test_images_come_cut_with_the_class_of_their_folder(tmp_path: Path) -> None:
    source = written(tmp_path)
    info, raw = source.info(), source.load()
    assert info.available, info.reason
    assert (info.sample_shape, info.classes, info.train_samples) == ((3, 16, 16), 3, 26)
    assert raw.labelled.y_N.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    found = raw.labelled.x_NCHW[np.array([0, 12, 29])]
    assert (found.shape, found.dtype) == ((3, 3, 16, 16), np.uint8)
    for image, colour in zip(found, COLOURS, strict=True):
        assert np.abs(image.mean(axis=(1, 2)) - colour).max() < 3  # a JPEG is near its colour
    assert raw.test is not None
    assert raw.test.x_NCHW[np.array([1])][0, :, 8, 8].tolist() == list(COLOURS[1])


def test_batches_are_of_the_places_asked_for(tmp_path: Path) -> None:
    splits = make_splits(written(tmp_path).load(), train_samples=None, split_seed=0)
    x_BCHW = splits.train.take(torch.arange(len(splits.train)))
    assert x_BCHW.shape == (26, 3, 16, 16)
    assert x_BCHW.mean(dim=(2, 3)).argmax(1).tolist() == splits.train.y_N.tolist()


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path)
    monkeypatch.setattr(image_stream.Image, "open", None)  # any attempt to decode would fail
    source.info()
    source.load()


@pytest.mark.parametrize("threads", [1, 3])
def test_the_order_does_not_depend_on_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(image_stream.torch, "get_num_threads", lambda: threads)
    found = stream_of(written(tmp_path))[np.array([29, 0, 15])]
    assert found.mean(axis=(2, 3)).argmax(axis=1).tolist() == [2, 0, 1]


def test_the_middle_is_kept(tmp_path: Path) -> None:
    image = Image.new("RGB", (90, 30), (255, 0, 0))
    image.paste((0, 255, 0), (30, 0, 60, 30))
    cut = image_stream.cut(image, tmp_path, size=15, resize=30)
    assert cut.size == (15, 15)
    assert set(cut.get_flattened_data()) == {(0, 255, 0)}


def test_the_size_is_224_unless_the_folder_says_otherwise(tmp_path: Path) -> None:
    source = written(tmp_path)
    (tmp_path / "images.json").unlink()
    assert source.info().sample_shape == (3, 224, 224)
    assert stream_of(source).resize == 256


def test_grey_and_transparent_images_become_rgb(tmp_path: Path) -> None:
    for number, mode in enumerate(("L", "RGBA", "P", "CMYK")):
        path = tmp_path / "train" / CLASSES[number % 2] / f"{number}.{'jpg' if mode == 'CMYK' else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (20, 20)).save(path)
    assert stream_of(ImageFolder(tmp_path))[np.arange(4)].shape == (4, 3, 224, 224)


@pytest.mark.parametrize("damage", ["truncated", "no image", "gone", "too large"])
def test_a_damaged_image_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    source = written(tmp_path)
    stream = stream_of(source)
    path = tmp_path / "train" / "n02" / "00.JPEG"
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "too large":
        monkeypatch.setattr(image_stream, "MOST_PIXELS", 1_199)
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"GIF89a")
    with pytest.raises(DataDamagedError, match="is damaged") as caught:
        stream[np.array([10])]
    assert str(path) in str(caught.value)
    assert caught.value.pointer == "/dataset/name"


def test_a_changed_folder_is_looked_at_again(tmp_path: Path) -> None:
    source = written(tmp_path)
    before, hash_before = source.info(), make_splits(source.load(), train_samples=None, split_seed=0).sha256
    write(tmp_path / "train" / "n02" / "more.png", COLOURS[1])
    os.utime(tmp_path / "train" / "n02", ns=(0, 1))  # a clock may be too coarse to tell
    after = source.info()
    assert after.stamp != before.stamp
    assert len(source.load().labelled.y_N) == 31
    assert make_splits(source.load(), train_samples=None, split_seed=0).sha256 != hash_before


def test_a_set_without_test_images_keeps_some_back(tmp_path: Path) -> None:
    source = written(tmp_path)
    for name in CLASSES:
        (tmp_path / "val" / name / "0.png").unlink()
        (tmp_path / "val" / name).rmdir()
    (tmp_path / "val").rmdir()
    assert source.load().test is None
    assert source.info().train_samples == 20


@pytest.mark.parametrize(
    "settings", ["[1]", "{", '{"size": 0}', '{"size": "8"}', '{"size": 8, "resize": 7}', '{"side": 8}', "3"]
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, settings: str) -> None:
    source = written(tmp_path, settings=settings)
    with pytest.raises(DataDamagedError, match=r"images\.json") as caught:
        source.load()
    assert source.info().reason == str(caught.value)


def test_missing_folders_are_told_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="<class>") as caught:
        ImageFolder(tmp_path / "imagenet").load()
    assert str(tmp_path / "imagenet" / "train") in str(caught.value)
    assert not ImageFolder(tmp_path / "imagenet").info().available


@pytest.mark.parametrize(
    ("damage", "what"), [("one class", "1 classes"), ("few", "6 images"), ("unknown", "'n09' is no class")]
)
def test_folders_that_are_no_data_set_say_why(tmp_path: Path, damage: str, what: str) -> None:
    if damage == "one class":
        write(tmp_path / "train" / "n01" / "0.png", COLOURS[0])
    elif damage == "few":
        written(tmp_path, each=2)
    else:
        written(tmp_path)
        write(tmp_path / "val" / "n09" / "0.png", COLOURS[0])
    assert what in ImageFolder(tmp_path).info().reason
