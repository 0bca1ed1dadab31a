/** The legend: each method's symbol and name beside a box that shows or hides it. */

import { make, markElement } from "./dom";
import type { MethodMark } from "./types";

export function fillLegend(
  legend: HTMLElement,
  methods: readonly MethodMark[],
  hidden: ReadonlySet<string>,
  change: (hidden: Set<string>) => void,
): void {
  const boxes = new Map<string, HTMLInputElement>();
  for (const mark of methods) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.has(mark.method);
    boxes.set(mark.method, box);
    const label = make("label");
    label.append(box, markElement(mark), mark.method);
    legend.append(label);
  }
  legend.addEventListener("change", () => {
    change(new Set([...boxes].filter(([, box]) => !box.checked).map(([method]) => method)));
  });
}
