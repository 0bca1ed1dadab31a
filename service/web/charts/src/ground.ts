/** What lies behind the points: the shaded feasible region and the lines of the limits. */

import type { LineSeriesOption } from "echarts/charts";
import type { CostAxis } from "./axis";
import { cost } from "./formats";
import type { Scene } from "./scene";

/** The limits that hold on the cost shown: the job's budgets, or a constraint on this metric. */
export function limits(scene: Scene): number[] {
  const constraint = scene.setup.constraints[scene.front.metric];
  return constraint === undefined ? scene.front.budgets : [...scene.front.budgets, constraint];
}

export function feasibleLimit(scene: Scene): number | undefined {
  const bounds = [...scene.front.budgets.slice(-1), ...limits(scene).slice(scene.front.budgets.length)];
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/** The shaded regions and the lines of the limits; it holds no data of its own. */
export function ground(scene: Scene, axis: CostAxis): LineSeriesOption {
  const { theme, front } = scene;
  const limit = feasibleLimit(scene);
  const label = { color: theme.quiet, fontSize: 11.5, distance: 5, formatter: (line: { value: unknown }) => `≤ ${cost(Number(line.value))}` };
  return {
    id: "ground",
    type: "line",
    data: [],
    silent: true,
    markLine: {
      symbol: "none",
      silent: true,
      animation: false,
      label: { ...label, position: "end" },
      lineStyle: { color: theme.quiet, type: [4, 4], width: 1.2 },
      data: [...new Set(limits(scene))].map((xAxis) => ({ xAxis, name: front.metric })),
    },
    markArea: { silent: true, animation: false, data: limit === undefined ? [] : regions(scene, axis, limit) },
  };
}

type Region = [{ name?: string; xAxis: number; itemStyle?: object; label?: object }, { xAxis: number }];

function regions({ theme, narrow }: Scene, axis: CostAxis, limit: number): Region[] {
  const label = { show: !narrow, color: theme.quiet, fontSize: 11.5, distance: 8 };
  const feasible: Region = [
    { name: "feasible", xAxis: axis.min, itemStyle: { color: theme.feasible }, label: { ...label, position: "insideBottomLeft" } },
    { xAxis: limit },
  ];
  const beyond: Region = [
    { name: "over the limit", xAxis: limit, itemStyle: { color: theme.beyond }, label: { ...label, show: false } },
    { xAxis: axis.max },
  ];
  return [feasible, beyond];
}
