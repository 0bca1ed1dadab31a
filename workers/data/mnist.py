"""The `mnist` data set: 28x28 grey images of handwritten digits, read from its four idx files."""

from __future__ import annotations

from pathlib import Path

from workers.data.idx_images import IdxImages

NAME = "mnist"


def mnist(data_folder: Path) -> IdxImages:
    """The user's own copy."""
    own = data_folder / NAME
    return IdxImages(
        name=NAME,
        summary="28x28 grey images of handwritten digits in ten classes: 60,000 to train and 10,000 to test.",
        fix=f"Put the files, plain or gzipped, into {own}.",
        folders=(own,),
    )
