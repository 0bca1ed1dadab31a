/** A figure of lines as an ECharts option: a pure function of its data, colours and width. */

import type { LineSeriesOption } from "echarts/charts";
import type { EChartsCoreOption } from "echarts/core";
import { accuracyAxis, costAxis } from "./axis";
import { figureTooltip } from "./figure_tooltip";
import { percent } from "./formats";
import type { Figure, FigurePoint, FigureSeries, Look } from "./figure_types";
import type { Theme } from "./theme";

const MOST_RANGES = 24; // places up to which a figure draws each range as a line of its own; with more, ranges are outlined
const DODGE = 0.012; // of a place, between series that stand at it
const EPOCH = 5; // times that on an axis of epochs
const LOOKS = 8; // as many as the server has
const DASHES: (string | number[])[] = ["solid", [7, 4], [2, 3], [9, 3, 2, 3]];

export interface FigureOption extends EChartsCoreOption {
  grid: object;
}

export function figureOption(figure: Figure, theme: Theme, narrow: boolean): FigureOption {
  return {
    animation: false,
    textStyle: { fontFamily: theme.font },
    grid: { left: 8, right: 16, top: 40, bottom: 34, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: placeAxis(figure, theme),
    yAxis: valueAxis(figure, theme, narrow),
    tooltip: {
      trigger: "item",
      confine: true,
      backgroundColor: theme.card,
      borderColor: theme.line,
      textStyle: { color: theme.ink },
      formatter: (hit: { data?: unknown }) => figureTooltip(figure, hit.data),
    },
    series: figure.series.flatMap((series, index) => drawn(figure, series, index, theme)),
  };
}

function colour(look: Look | undefined, theme: Theme): string {
  return (theme.dark ? look?.dark : look?.light) ?? theme.ink;
}

function axisStyle(theme: Theme): { nameTextStyle: object; axisLine: object; axisLabel: object; splitLine: object } {
  return {
    nameTextStyle: { color: theme.quiet, fontSize: 12.5 },
    axisLine: { onZero: false, lineStyle: { color: theme.line } },
    axisLabel: { color: theme.quiet, fontSize: 12, hideOverlap: true },
    splitLine: { show: false },
  };
}

function placeAxis(figure: Figure, theme: Theme): object {
  const style = axisStyle(theme);
  const common = { ...style, name: figure.x_label, nameLocation: "middle", nameGap: 30, minorTick: { show: false } };
  const places = placesOf(figure);
  if (isCounted(figure)) return { ...common, ...epochAxis(places), axisLabel: { ...style.axisLabel, formatter: whole } };
  const { min, max } = costAxis(places, [], figure.log_x);
  const label = { ...style.axisLabel, formatter: (value: number) => String(Number(value.toPrecision(4))) };
  if (!figure.log_x) return { ...common, type: "value", min, max, axisLabel: { ...label, showMaxLabel: false } };
  const ticks = { customValues: places };
  return { ...common, type: "log", min, max, axisTick: ticks, axisLabel: { ...label, ...ticks } };
}

function placesOf(figure: Figure): number[] {
  return [...new Set(figure.series.flatMap((series) => series.points.map((point) => Number(point.x))))];
}

/** Whether the places are whole, as epochs are. */
function isCounted(figure: Figure): boolean {
  return !figure.log_x && placesOf(figure).every(Number.isInteger);
}

function epochAxis(places: readonly number[]): object {
  const bounds = places.length === 0 ? {} : { min: Math.min(...places) - 0.5, max: Math.max(...places) + 0.5 };
  return { type: "value", minInterval: 1, axisTick: { show: false }, ...bounds };
}

function whole(value: number): string {
  return Number.isInteger(value) ? String(value) : "";
}

function valueAxis(figure: Figure, theme: Theme, narrow: boolean): object {
  const style = axisStyle(theme);
  const common = {
    ...style,
    type: "value",
    name: figure.y_label,
    nameLocation: "end",
    nameGap: 18,
    nameTextStyle: { ...style.nameTextStyle, align: "left", padding: [0, 0, 0, figure.shares ? -34 : -12] },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.7 } },
  };
  if (!figure.shares) return { ...common, scale: true };
  const ends = figure.series.flatMap((series) => series.points.flatMap(({ spread }) => [spread.least, spread.greatest]));
  const { min, max, step } = accuracyAxis(ends, narrow ? 5 : 7);
  const formatter = (share: number) => percent(share, step < 0.01 ? 1 : 0);
  return { ...common, min, max, interval: step, axisLabel: { ...style.axisLabel, formatter } };
}

function drawn(figure: Figure, series: FigureSeries, index: number, theme: Theme): LineSeriesOption[] {
  const look = figure.looks[index];
  const x = dodged(figure, index);
  return [...ranges(figure, series, x, colour(look, theme)), line(figure, series, x, look, index, theme)];
}

function manyPlaces(figure: Figure): boolean {
  return figure.series.some((series) => series.points.length > MOST_RANGES);
}

function line(figure: Figure, series: FigureSeries, x: (point: FigurePoint) => number, look: Look | undefined, index: number, theme: Theme): LineSeriesOption {
  const many = manyPlaces(figure);
  return {
    name: series.name,
    type: "line",
    symbol: `path://${look?.path ?? ""}`,
    symbolSize: many ? 7 : 11,
    showAllSymbol: !many,
    z: 3,
    data: series.points.map((point) => ({ value: [x(point), point.spread[figure.middle]], series: series.name, point })),
    lineStyle: { color: colour(look, theme), width: 1.8, type: dash(index) },
    itemStyle: { color: colour(look, theme), borderColor: theme.card, borderWidth: 0.8 },
  };
}

/** A dash of its own for each series; it shifts where the looks begin anew. */
function dash(index: number): "solid" {
  return DASHES[(index + Math.floor(index / LOOKS)) % DASHES.length] as "solid"; // ECharts takes lists of lengths too
}

/** The range of the seeds: an upright line at each place, or two thin lines where there are many places. */
function ranges(figure: Figure, series: FigureSeries, x: (point: FigurePoint) => number, colour: string): LineSeriesOption[] {
  const style = { type: "line" as const, silent: true, symbol: "none", z: 2 };
  if (manyPlaces(figure)) {
    const edge = (end: "least" | "greatest") => series.points.map((point) => [x(point), point.spread[end]]);
    return [edge("least"), edge("greatest")].map((data) => ({ ...style, data, lineStyle: { color: colour, width: 0.7, opacity: 0.6 } }));
  }
  const upright = series.points.flatMap((point) => [[x(point), point.spread.least], [x(point), point.spread.greatest], [x(point), "-"]]);
  return [{ ...style, data: upright as [number, number][], lineStyle: { color: colour, width: 1.6, opacity: 0.75 } }];
}

/** Series at the same place stand a little beside one another, so that no range hides another. */
function dodged(figure: Figure, index: number): (point: FigurePoint) => number {
  const away = (index - (figure.series.length - 1) / 2) * DODGE;
  const unit = isCounted(figure) ? EPOCH : 0;
  return ({ x }) => (figure.log_x ? Number(x) * (1 + away) : Number(x) + unit * away);
}
