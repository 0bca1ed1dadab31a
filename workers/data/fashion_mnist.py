"""The `fashion-mnist` data set: 28x28 grey images of clothes, read from its four idx files."""

from __future__ import annotations

from pathlib import Path

from workers.data.idx_images import IdxImages

NAME = "fashion-mnist"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the files."""


def fashion_mnist(data_folder: Path) -> IdxImages:
    """The user's own copy, else the system's."""
    own = data_folder / NAME
    return IdxImages(
        name=NAME,
        summary="28x28 grey images of clothes in ten classes: 60,000 to train and 10,000 to test.",
        fix=f"Install Debian's package dataset-fashion-mnist, or put the files into {own}.",
        folders=(own, SYSTEM_FOLDER),
    )
