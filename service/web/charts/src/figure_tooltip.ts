/** What is said of a point of a figure. */

import { make } from "./dom";
import { percent } from "./formats";
import type { Figure, FigurePoint } from "./figure_types";

interface Datum {
  series: string;
  point: FigurePoint;
}

export function figureTooltip(figure: Figure, data: unknown): HTMLElement | string {
  if (!isDatum(data)) return "";
  const { least, greatest, count } = data.point.spread;
  const shown = (value: number) => (figure.shares ? percent(value) : String(Number(value.toPrecision(4))));
  const box = make("div", "", "tip");
  box.append(make("strong", data.series), make("div", `${figure.x_label} ${data.point.x}: ${shown(data.point.spread[figure.middle])}`));
  if (count > 1) box.append(make("div", `${shown(least)} to ${shown(greatest)} over ${count} seeds`));
  return box;
}

function isDatum(data: unknown): data is Datum {
  return typeof data === "object" && data !== null && "point" in data;
}
