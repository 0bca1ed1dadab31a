/** The front chart on the page: draws scenes, follows its box, and tells which point was clicked. */

import { LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { followBox } from "./chart_box";
import { frontOption, isDatum } from "./front_option";
import { shownPoints, type Scene } from "./scene";

use([LineChart, ScatterChart, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

const NARROW = 520;

export class FrontChart {
  private readonly chart: EChartsType;

  constructor(private readonly box: HTMLElement, choose: (pointId: string) => void) {
    this.chart = init(box);
    this.chart.on("click", (hit) => {
      if (isDatum(hit.data)) choose(hit.data.point.id);
    });
    followBox(this.chart, box);
  }

  draw(scene: Omit<Scene, "narrow">): void {
    const whole = { ...scene, narrow: this.box.clientWidth < NARROW };
    const points = shownPoints(whole);
    this.chart.setOption(frontOption(whole), { notMerge: false, replaceMerge: ["series"] });
    this.box.dataset["points"] = String(points.length);
    this.box.dataset["metric"] = scene.front.metric;
    this.box.setAttribute("aria-label", `${points.length} points: ${scene.state.accuracy} ${scene.setup.measure} against ${scene.front.metric}; the table below has the numbers`);
  }
}
