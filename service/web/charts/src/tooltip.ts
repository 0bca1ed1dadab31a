/** What hovering over a point shows; built from text nodes, so that no name can become markup. */

import { make } from "./dom";
import { cost, percent } from "./formats";
import type { FrontPoint } from "./types";

export function tooltip(point: FrontPoint, metric: string): HTMLElement {
  const box = make("div", "", "tip");
  box.append(
    make("strong", `${point.method}, seed ${point.seed}`),
    make("div", `${metric} ${cost(point.cost)}`),
    make("div", `validation ${percent(point.validation_accuracy, 2)}`),
    make("div", `test ${percent(point.test_accuracy, 2)}`),
    make("div", standing(point)),
  );
  return box;
}

export function standing(point: FrontPoint): string {
  if (!point.feasible) return "over a limit";
  return point.on_front ? "on the front" : "feasible";
}
