/** A figure on the page, which follows its box and the page's colours. */

import { LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { followBox } from "./chart_box";
import { figureOption } from "./figure_option";
import type { Figure } from "./figure_types";
import { currentTheme } from "./theme";

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

const NARROW = 520;

export class FigureChart {
  private readonly chart: EChartsType;
  private shown = "";

  constructor(private readonly box: HTMLElement) {
    this.chart = init(box);
    followBox(this.chart, box);
  }

  draw(figure: Figure): void {
    const theme = currentTheme();
    const state = JSON.stringify([figure, theme.dark]);
    if (state === this.shown) return; // keeps the tooltip that someone is reading
    this.shown = state;
    this.chart.setOption(figureOption(figure, theme, this.box.clientWidth < NARROW), { notMerge: true });
    this.box.dataset["series"] = String(figure.series.length);
    this.box.dataset["points"] = String(figure.series.reduce((sum, series) => sum + series.points.length, 0));
  }
}
