/** Saves a figure of lines as a file: on white, with a title and a legend, whatever the page looks like. */

import { LegendPlainComponent, TitleComponent } from "echarts/components";
import { init, use, type EChartsCoreOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { figureOption, type FigureOption } from "./figure_option";
import type { Figure } from "./figure_types";
import { save, SHARPNESS, svgAddress, type FileKind } from "./save";
import { currentTheme, type Theme } from "./theme";

use([LegendPlainComponent, TitleComponent, SVGRenderer]);

const SIZE = { width: 900, height: 520 };
const PAPER = { dark: false, ink: "#1a2027", quiet: "#3c4650", line: "#d5dade", card: "#ffffff", font: "sans-serif" };
// A plain font: the page's own has quotes, which the SVG renderer writes as they are.

export function saveLines(figure: Figure, kind: FileKind): void {
  const names = figure.series.map((series) => series.name);
  saveChart(figureOption(figure, paper(), false), figure.title, names, figure.key, kind);
}

/** The theme of files. */
export function paper(): Theme {
  return { ...currentTheme(), ...PAPER };
}

/** Saves a chart, drawn with that theme, with a title and the names of its series. */
export function saveChart(option: FigureOption, title: string, names: string[], key: string, kind: FileKind): void {
  const whole = fileOption(option, title, names);
  save(kind === "svg" ? svgAddress(svgText(whole)) : pngAddress(whole), `${key}.${kind}`);
}

function svgText(option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  chart.setOption(option);
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

function pngAddress(option: EChartsCoreOption): string {
  const chart = init(document.createElement("div"), null, { ...SIZE, devicePixelRatio: SHARPNESS });
  chart.setOption(option);
  const address = chart.getDataURL({ type: "png", pixelRatio: SHARPNESS, backgroundColor: PAPER.card });
  chart.dispose();
  return address;
}

function fileOption(option: FigureOption, title: string, names: string[]): EChartsCoreOption {
  return {
    ...option,
    backgroundColor: PAPER.card,
    title: { text: title, textStyle: { color: PAPER.ink, fontSize: 16 }, left: 8, top: 6 },
    legend: { data: names, bottom: 4, textStyle: { color: PAPER.ink }, itemWidth: 34 },
    grid: { ...option.grid, top: 76, bottom: 74 },
  };
}
