/** The chart of several jobs as an ECharts option: a pure function of points, choices and colours. */

import type { LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import { costAxis } from "./axis";
import { inside, type CloudPoint, type CloudScene } from "./cloud_types";
import type { FigureOption } from "./figure_option";
import { tooltipOption, xAxis, yAxis } from "./front_option";
import type { Scene } from "./scene";
import { colourOf, type Theme } from "./theme";
import { scoreOf, type MethodMark } from "./types";

const DASHES: (string | number[])[] = ["solid", [7, 4], [2, 3], [9, 3, 2, 3]]; // one for each job
const SEEN_IN_FULL = 400; // beaten points that may be drawn as large and dark as others

export function cloudOption(scene: CloudScene, theme: Theme, narrow: boolean): FigureOption {
  const { cloud, choices, methods } = scene;
  const points = cloud.points.filter((point) => (point.on_own_front || !choices.hideBeaten) && (point.cost > 0 || !choices.logX));
  const axes = axisScene(scene, points, theme, narrow);
  const costs = points.map((point) => point.cost);
  return {
    animation: false,
    textStyle: { fontFamily: theme.font },
    grid: { left: 8, right: 14, top: 48, bottom: 34, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { ...xAxis(axes, costAxis(zoomed(scene) ?.cost ?? costs, [], choices.logX)), ...ends(zoomed(scene)?.cost) },
    yAxis: { ...yAxis(axes, points), ...(zoomed(scene) ? { ...ends(zoomed(scene)?.score), interval: undefined } : {}) },
    tooltip: tooltipOption(axes),
    series: [
      marks(scene, theme),
      ...methods.flatMap((mark) => cloud.jobs.map((job, index) => frontLine(scene, points, theme, mark, job.job_id, index))),
      line(scene, points.filter((point) => point.on_front), { color: theme.ink, width: 2.2, opacity: 0.55 }),
      ...methods.flatMap((mark) => [false, true].map((front) => symbols(scene, points, theme, mark, front))),
      rings(bestUnder(scene), scene, theme),
    ],
  };
}

/** Of each job and method the best point under the budget; without a budget none. */
export function bestUnder({ cloud, choices }: CloudScene): CloudPoint[] {
  if (choices.budget === null) return [];
  const best = new Map<string, CloudPoint>(); // points come cheapest first, so the last that fits is the best
  for (const point of cloud.points) {
    if (point.on_own_front && point.cost <= choices.budget) best.set(`${point.job_id} ${point.method}`, point);
  }
  return [...best.values()];
}

function zoomed({ choices }: CloudScene): CloudScene["choices"]["region"] {
  return choices.zoom ? choices.region : null;
}

function ends(reach: [number, number] | undefined): object {
  return reach === undefined ? {} : { min: reach[0], max: reach[1] };
}

/** What the axes and tooltips of a job's chart take. */
function axisScene(scene: CloudScene, points: CloudPoint[], theme: Theme, narrow: boolean): Scene {
  const { cloud, choices, measure, methods } = scene;
  return {
    setup: { measure, methods } as Scene["setup"],
    front: { metric: cloud.metric, scope: cloud.scope, budgets: [], points },
    state: { metric: cloud.metric, accuracy: choices.accuracy, logX: choices.logX, hidden: new Set(), point: null },
    theme,
    narrow,
  };
}

function frontLine(scene: CloudScene, points: CloudPoint[], theme: Theme, mark: MethodMark, jobId: string, index: number): LineSeriesOption {
  const own = points.filter((point) => point.on_own_front && point.method === mark.method && point.job_id === jobId);
  const type = DASHES[index % DASHES.length] as "solid"; // ECharts takes lists of lengths too
  return line(scene, own, { color: colourOf(mark, theme), width: 1.5, type, opacity: 0.8 });
}

function line(scene: CloudScene, front: CloudPoint[], lineStyle: object): LineSeriesOption {
  const data = front.map((point) => [point.cost, scoreOf(point, scene.choices.accuracy)]);
  return { type: "line", step: "end", symbol: "none", silent: true, z: 3, clip: true, data, lineStyle };
}

function symbols(scene: CloudScene, points: CloudPoint[], theme: Theme, mark: MethodMark, front: boolean): ScatterSeriesOption {
  const own = points.filter((point) => point.method === mark.method && point.on_own_front === front);
  const colour = colourOf(mark, theme);
  const few = points.length <= SEEN_IN_FULL;
  return {
    name: mark.method,
    type: "scatter",
    z: front ? 4 : 2,
    symbol: `path://${mark.path}`,
    clip: true,
    data: own.map((point) => datum(scene, point, colour, theme, few)),
    emphasis: { scale: 1.4 },
    cursor: "pointer",
  } as ScatterSeriesOption;
}

/** The larger, the better it stands; beaten points are faint, those over a limit hollow. */
function datum(scene: CloudScene, point: CloudPoint, colour: string, theme: Theme, few: boolean): object {
  const score = scoreOf(point, scene.choices.accuracy);
  const beaten = few ? 8 : 5;
  const faint = (few ? 0.4 : 0.3) * (inside(scene.choices.region, point.cost, score) ? 1 : 0.4);
  const look = point.on_own_front ? { opacity: 1, borderColor: theme.card, borderWidth: 0.8 } : { opacity: faint };
  return {
    value: [point.cost, score],
    point,
    symbolSize: point.on_front ? 14 : point.on_own_front ? 10 : beaten,
    itemStyle: point.feasible ? { color: colour, ...look } : { color: "transparent", borderColor: colour, borderWidth: 1.1, opacity: faint },
  };
}

function rings(points: CloudPoint[], scene: CloudScene, theme: Theme): ScatterSeriesOption {
  return {
    type: "scatter",
    z: 5,
    silent: true,
    symbol: "circle",
    symbolSize: 22,
    data: points.map((point) => [point.cost, scoreOf(point, scene.choices.accuracy)]),
    itemStyle: { color: "transparent", borderColor: theme.ink, borderWidth: 1.8 },
  };
}

/** The line of the budget and the box of the region. */
function marks({ choices }: CloudScene, theme: Theme): LineSeriesOption {
  const { budget, region, zoom } = choices;
  const box = region === null || zoom ? [] : [[{ coord: [region.cost[0], region.score[0]] }, { coord: [region.cost[1], region.score[1]] }]];
  return {
    type: "line",
    data: [],
    silent: true,
    markLine: { symbol: "none", silent: true, animation: false, label: { color: theme.quiet, formatter: "budget" }, lineStyle: { color: theme.quiet, type: [4, 4], width: 1.4 }, data: budget === null ? [] : [{ xAxis: budget }] },
    markArea: { silent: true, animation: false, itemStyle: { color: theme.beyond, borderColor: theme.link, borderWidth: 1.2 }, data: box as never },
  };
}
