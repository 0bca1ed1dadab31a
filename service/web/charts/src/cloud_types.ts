/** The points of several jobs, and what a person chose to see of them. */

import type { Accuracy, FrontPoint, MethodMark } from "./types";

export interface CloudPoint extends FrontPoint {
  job_id: string;
  on_own_front: boolean; // of its job and method
  mean_weight_bits: number | null;
  mean_spike_bits: number | null;
  mean_steps: number | null;
  costs: Record<string, number>;
}

export interface CloudView {
  metric: string;
  scope: string;
  metrics: string[];
  jobs: { job_id: string; name: string }[];
  total: number;
  shown: number;
  points: CloudPoint[];
}

const FLAGS = ["feasible", "on_front", "on_own_front"] as const;

/** A cloud as the page has it: a column for each field; methods and jobs are places in their lists, flags 0 or 1. */
export interface PackedCloud extends Omit<CloudView, "points"> {
  methods: string[];
  points: Record<string, readonly unknown[]> & { costs: Record<string, readonly number[]> };
}

export function unpacked(cloud: PackedCloud): CloudView {
  const { costs, ...columns } = cloud.points;
  const values = (of: Record<string, readonly unknown[]>, row: number) =>
    Object.fromEntries(Object.entries(of).map(([name, column]) => [name, column[row]]));
  const points = (columns["id"] as string[]).map((_, row) => {
    const point = values(columns, row) as unknown as CloudPoint;
    point.method = cloud.methods[Number(point.method)]!;
    point.job_id = cloud.jobs[Number(point.job_id)]!.job_id;
    for (const flag of FLAGS) point[flag] = Boolean(point[flag]);
    point.costs = values(costs, row) as Record<string, number>;
    return point;
  });
  return { ...cloud, points };
}

export interface Region {
  cost: [number, number];
  score: [number, number];
}

export interface Choices {
  accuracy: Accuracy;
  logX: boolean;
  hideBeaten: boolean;
  budget: number | null;
  region: Region | null;
  zoom: boolean;
}

export interface CloudScene {
  cloud: CloudView;
  choices: Choices;
  methods: MethodMark[];
  measure: string;
}

export function inside(region: Region | null, cost: number, score: number): boolean {
  return region === null || (cost >= region.cost[0] && cost <= region.cost[1] && score >= region.score[0] && score <= region.score[1]);
}
