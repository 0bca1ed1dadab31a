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
