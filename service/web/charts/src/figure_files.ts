/** Saves a figure of lines as a file: on white, with a title and a legend, whatever the page looks like. */

import { LegendPlainComponent, TitleComponent } from "echarts/components";
import { init, use, type EChartsCoreOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { figureOption } from "./figure_option";
import type { Figure } from "./figure_types";
import { save, SHARPNESS, svgAddress, type FileKind } from "./save";
import { currentTheme, type Theme } from "./theme";

use([LegendPlainComponent, TitleComponent, SVGRenderer]);

const SIZE = { width: 900, height: 520 };
const PAPER = { dark: false, ink: "#1a2027", quiet: "#3c4650", line: "#d5dade", card: "#ffffff", font: "sans-serif" };
// A plain font: the page's own has quotes, which the SVG renderer writes as they are.

export function saveLines(figure: Figure, kind: FileKind): void {
  save(kind === "svg" ? svgAddress(svgText(figure)) : pngAddress(figure), `${figure.key}.${kind}`);
}

function svgText(figure: Figure): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  chart.setOption(fileOption(figure));
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

function pngAddress(figure: Figure): string {
  const chart = init(document.createElement("div"), null, { ...SIZE, devicePixelRatio: SHARPNESS });
  chart.setOption(fileOption(figure));
  const address = chart.getDataURL({ type: "png", pixelRatio: SHARPNESS, backgroundColor: PAPER.card });
  chart.dispose();
  return address;
}

function fileOption(figure: Figure): EChartsCoreOption {
  const theme: Theme = { ...currentTheme(), ...PAPER };
  const option = figureOption(figure, theme, false);
  return {
    ...option,
    backgroundColor: PAPER.card,
    title: { text: figure.title, textStyle: { color: PAPER.ink, fontSize: 16 }, left: 8, top: 6 },
    legend: { data: figure.series.map((series) => series.name), bottom: 4, textStyle: { color: PAPER.ink }, itemWidth: 34 },
    grid: { ...option.grid, top: 76, bottom: 74 },
  };
}
