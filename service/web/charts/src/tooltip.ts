/** What hovering over a point shows; built from text nodes, so that no name can become markup. */

import { make } from "./dom";
import { cost, percent } from "./formats";
import type { FrontPoint } from "./types";

export function tooltip(point: FrontPoint, metric: string, measure: string): HTMLElement {
  const box = make("div", "", "tip");
  box.append(
    make("strong", `${point.method}, seed ${point.seed}`),
    make("div", `${metric} ${cost(point.cost)}`),
    make("div", `validation ${measure} ${percent(point.score, 2)}`),
    make("div", `test ${measure} ${percent(point.test_score, 2)}`),
    make("div", standing(point)),
  );
  return box;
}

export function standing(point: FrontPoint): string {
  if (!point.feasible) return "over a limit";
  return point.on_front ? "on the front" : "feasible";
}
