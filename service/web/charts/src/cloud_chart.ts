/** The chart of several jobs on the page, over which a region can be dragged. */

import { init, type EChartsType } from "echarts/core";
import { followBox } from "./chart_box";
import { cloudOption } from "./cloud_option";
import type { CloudScene, Region } from "./cloud_types";
import { byId } from "./dom";
import { isDatum } from "./front_option";
import { currentTheme } from "./theme";

const NARROW = 520;
const LEAST_DRAG = 8; // pixels; less is a click

export class CloudChart {
  private readonly chart: EChartsType;
  private readonly box = byId("cloud-chart");
  private readonly frame = byId("brush");

  constructor(choose: (pointId: string) => void, private readonly brushed: (region: Region) => void) {
    this.chart = init(this.box);
    this.chart.on("click", (hit) => {
      if (isDatum(hit.data)) choose(hit.data.point.id);
    });
    followBox(this.chart, this.box);
    this.box.addEventListener("pointerdown", (event) => this.drag(event));
  }

  draw(scene: CloudScene): void {
    this.chart.setOption(cloudOption(scene, currentTheme(), this.box.clientWidth < NARROW), { notMerge: true });
    this.box.dataset["points"] = String(scene.cloud.points.length);
    this.box.dataset["metric"] = scene.cloud.metric;
  }

  private drag(start: PointerEvent): void {
    if (start.button !== 0 || start.pointerType === "touch") return; // a finger scrolls the page
    const { left, top } = this.box.getBoundingClientRect();
    const from = [start.clientX - left, start.clientY - top] as const;
    let to: readonly [number, number] = from;
    const move = (event: PointerEvent): void => {
      to = [event.clientX - left, event.clientY - top];
      this.showFrame(from, to);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", () => {
      window.removeEventListener("pointermove", move);
      this.frame.hidden = true;
      if (Math.min(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])) > LEAST_DRAG) this.brushed(this.region(from, to));
    }, { once: true });
  }

  private showFrame(from: readonly [number, number], to: readonly [number, number]): void {
    const [x, y] = [0, 1].map((axis) => Math.min(from[axis as 0], to[axis as 0])) as [number, number];
    const [width, height] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    for (const [name, value] of Object.entries({ left: x, top: y, width, height })) this.frame.style.setProperty(name, `${value}px`);
    this.frame.hidden = false;
  }

  private region(from: readonly [number, number], to: readonly [number, number]): Region {
    const ends = [from, to].map((place) => this.chart.convertFromPixel("grid", [...place]) as unknown as [number, number]);
    const reach = (axis: 0 | 1): [number, number] => ends.map((end) => Math.max(0, Number(end[axis].toPrecision(4)))).sort((a, b) => a - b) as [number, number];
    const score = reach(1).map((share) => Math.min(share, 1)) as [number, number];
    return { cost: reach(0), score };
  }
}
