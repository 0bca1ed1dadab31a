/** The front chart as an ECharts option: a pure function of points, choices and colours. */

import type { ScatterSeriesOption, LineSeriesOption } from "echarts/charts";
import { accuracyAxis, costAxis, type CostAxis } from "./axis";
import type { FigureOption } from "./figure_option";
import { cost, percent } from "./formats";
import { feasibleLimit, ground, limits } from "./ground";
import { shownPoints, type Scene } from "./scene";
import { colourOf } from "./theme";
import { tooltip } from "./tooltip";
import { scoreOf, type FrontPoint, type MethodMark } from "./types";

interface Datum {
  value: [number, number];
  point: FrontPoint;
}

export function frontOption(scene: Scene): FigureOption {
  const points = shownPoints(scene);
  const axis = costAxis(points.map((point) => point.cost), limits(scene), scene.state.logX);
  return {
    animationDuration: 250,
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: { fontFamily: scene.theme.font },
    grid: { left: 8, right: 14, top: 48, bottom: 34, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: xAxis(scene, axis),
    yAxis: yAxis(scene, points),
    tooltip: tooltipOption(scene),
    series: [
      ground(scene, axis),
      stepLine(scene, points, axis),
      ...scene.setup.methods.map((mark) => methodSeries(scene, points, mark)),
      chosenRing(scene, points),
    ],
  };
}

export function xAxis({ theme, state, front }: Scene, { min, max, ticks }: CostAxis): object {
  return {
    type: state.logX ? "log" : "value",
    min,
    max,
    name: `${front.metric} (${front.scope === "all" ? "all layers" : "searched layers"})`,
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: theme.quiet, fontSize: 12.5 },
    axisLine: { onZero: false, lineStyle: { color: theme.line } },
    axisTick: { customValues: ticks, lineStyle: { color: theme.line } },
    axisLabel: { customValues: ticks, color: theme.quiet, fontSize: 12, formatter: cost, hideOverlap: true },
    splitLine: { show: false },
    minorTick: { show: false },
  };
}

export function yAxis({ theme, state, narrow, setup }: Scene, points: readonly FrontPoint[]): object {
  const { min, max, step } = accuracyAxis(points.map((point) => scoreOf(point, state.accuracy)), narrow ? 5 : 8);
  return {
    type: "value",
    min,
    max,
    interval: step,
    name: `${state.accuracy} ${setup.measure}`,
    nameLocation: "end",
    nameGap: 28,
    nameTextStyle: { color: theme.quiet, fontSize: 12.5, align: "left", padding: [0, 0, 0, -36] },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: theme.quiet, fontSize: 12, formatter: (share: number) => percent(share, step < 0.01 ? 1 : 0) },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.7 } },
  };
}

export function tooltipOption({ theme, front, setup }: Scene): object {
  return {
    trigger: "item",
    confine: true,
    backgroundColor: theme.card,
    borderColor: theme.line,
    textStyle: { color: theme.ink },
    formatter: (hit: { data?: unknown }) => (isDatum(hit.data) ? tooltip(hit.data.point, front.metric, setup.measure) : ""),
  };
}

/** The front over all methods shown. Its points were chosen on the validation split, also where test is drawn. */
function stepLine(scene: Scene, points: readonly FrontPoint[], axis: CostAxis): LineSeriesOption {
  const front = points.filter((point) => point.on_front).sort((a, b) => a.cost - b.cost);
  const steps = front.map((point) => [point.cost, scoreOf(point, scene.state.accuracy)]);
  const last = steps.at(-1);
  const end = Math.min(feasibleLimit(scene) ?? axis.max, axis.max);
  if (last !== undefined && end > Number(last[0])) steps.push([end, Number(last[1])]);
  return {
    id: "front",
    type: "line",
    step: "end",
    data: steps,
    symbol: "none",
    silent: true,
    z: 2,
    lineStyle: { color: scene.theme.ink, width: 1.8, opacity: 0.75 },
  };
}

function methodSeries(scene: Scene, points: readonly FrontPoint[], mark: MethodMark): ScatterSeriesOption {
  const own = points.filter((point) => point.method === mark.method);
  return {
    id: `method ${mark.method}`,
    name: mark.method,
    type: "scatter",
    z: 3,
    symbol: `path://${mark.path}`,
    itemStyle: { color: colourOf(mark, scene.theme) }, // of its entry in a legend
    data: own.map((point) => datum(point, scene, colourOf(mark, scene.theme))),
    emphasis: { scale: 1.4 },
    cursor: "pointer",
  };
}

/** Points on the front are larger; those over a limit are hollow. */
function datum(point: FrontPoint, scene: Scene, colour: string): Datum & { symbolSize: number; itemStyle: object } {
  const filled = { color: colour, borderColor: scene.theme.card, borderWidth: 0.8, opacity: point.on_front ? 1 : 0.8 };
  return {
    value: [point.cost, scoreOf(point, scene.state.accuracy)],
    point,
    symbolSize: point.on_front ? 14 : 10,
    itemStyle: point.feasible ? filled : { color: "transparent", borderColor: colour, borderWidth: 1.4 },
  };
}

function chosenRing(scene: Scene, points: readonly FrontPoint[]): ScatterSeriesOption {
  const chosen = points.filter((point) => point.id === scene.state.point);
  return {
    id: "chosen",
    type: "scatter",
    z: 4,
    silent: true,
    symbol: "circle",
    symbolSize: 24,
    data: chosen.map((point) => ({ value: [point.cost, scoreOf(point, scene.state.accuracy)] })),
    itemStyle: { color: "transparent", borderColor: scene.theme.ink, borderWidth: 2 },
  };
}

export function isDatum(data: unknown): data is Datum {
  return typeof data === "object" && data !== null && "point" in data;
}
