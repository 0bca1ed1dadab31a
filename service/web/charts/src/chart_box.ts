/** Keeps a chart as large as the box it is in. */

import type { EChartsType } from "echarts/core";

/** An observer is called at once with the size there is: only another one is worth drawing everything again. */
export function followBox(chart: EChartsType, box: HTMLElement): void {
  new ResizeObserver(() => {
    if (chart.getWidth() !== box.clientWidth || chart.getHeight() !== box.clientHeight) chart.resize();
  }).observe(box);
}
