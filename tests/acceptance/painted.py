"""What a chart has painted, found in the pixels of its canvas."""

from __future__ import annotations

from playwright.sync_api import Locator

COLOURS = {
    "gradient": "#0072b2",
    "optuna-tpe": "#e69f00",
    "optuna-nsga2": "#009e73",
    "random": "#cc79a7",
    "uniform": "#3a3f45",
}
FIND_COLOUR = """(canvas, [hex, reach, apart]) => {
  const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
  const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const is = (x, y) => wanted.every((value, i) => Math.abs(data[4 * (y * width + x) + i] - value) <= apart);
  const near = [-reach, 0, reach];
  for (let y = 2; y < height - 2; y++) for (let x = 2; x < width - 2; x++)
    if (near.every((dx) => near.every((dy) => is(x + dx, y + dy)))) return [x / scale, y / scale];
  return null;
}"""


def place_of(chart: Locator, colour: str, *, reach: int = 2, apart: int = 2) -> tuple[float, float] | None:
    """A place inside a symbol of this colour on the chart; None where there is none."""
    found = chart.locator("canvas").first.evaluate(FIND_COLOUR, [colour, reach, apart])
    return None if found is None else (found[0], found[1])
