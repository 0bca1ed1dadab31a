"""The page of architectures names every one with its settings, and its example runs."""

import re
from pathlib import Path

import torch

from models.nets import architectures

PAGE = (Path(__file__).parents[4] / "docs" / "architectures.md").read_text()


def test_every_architecture_is_listed_with_its_defaults():
    for name, architecture in architectures().items():
        (row,) = [
            line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1]
        ]
        listed = dict(re.findall(r"`(\w+)` \((\w+)\)", row.split("|")[3]))
        assert listed == {key: str(setting.default) for key, setting in architecture.settings.items()}


def test_the_example_runs(capsys):
    example = re.search(r"runs as it is:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
    torch.manual_seed(0)
    exec(example[1], {})  # noqa: S102 - our own page
    shape, *rows = capsys.readouterr().out.splitlines()
    assert shape == "torch.Size([32, 10])"
    assert rows == ["0 4608 72 64", "3 9216 576 512", "5 1280 1280 128"]
