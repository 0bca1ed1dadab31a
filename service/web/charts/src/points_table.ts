/** The chart's points as a table, for those who cannot use a chart or do not want to. */

import { make, markElement } from "./dom";
import { cost, percent } from "./formats";
import { standing } from "./tooltip";
import type { FrontPoint, MethodMark } from "./types";

const MOST_ROWS = 200;

export function pointsTable(points: readonly FrontPoint[], metric: string, measure: string, methods: readonly MethodMark[]): HTMLElement {
  const box = make("div", "", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "All points");
  const table = make("table", "", "numbers choose");
  const body = make("tbody");
  body.append(...points.slice(0, MOST_ROWS).map((point) => row(point, methods)));
  table.append(head(metric, measure), body);
  box.append(table);
  if (points.length > MOST_ROWS) box.append(make("p", `The cheapest ${MOST_ROWS} of ${points.length}; the CSV has them all.`, "quiet"));
  return box;
}

function head(metric: string, measure: string): HTMLElement {
  const line = make("tr");
  for (const name of ["Method", "Seed", metric, `Validation ${measure}`, `Test ${measure}`, "Standing", "Point"]) {
    const cell = make("th", name);
    cell.setAttribute("scope", "col");
    line.append(cell);
  }
  const top = make("thead");
  top.append(line);
  return top;
}

function row(point: FrontPoint, methods: readonly MethodMark[]): HTMLElement {
  const line = make("tr");
  line.dataset["point"] = point.id;
  const texts = [String(point.seed), cost(point.cost), percent(point.score), percent(point.test_score)];
  const link = make("a", point.id) as HTMLAnchorElement;
  link.href = `/points/${point.id}`;
  const last = make("td");
  last.append(link);
  line.append(methodCell(point, methods), ...[...texts, standing(point)].map((text) => make("td", text)), last);
  return line;
}

function methodCell(point: FrontPoint, methods: readonly MethodMark[]): HTMLElement {
  const cell = make("th");
  cell.setAttribute("scope", "row");
  const method = make("span", "", "method");
  const mark = methods.find((known) => known.method === point.method);
  if (mark) method.append(markElement(mark));
  method.append(point.method);
  cell.append(method);
  return cell;
}
