/** What the page's setup block and /v1 answer, as far as the charts read it. */

export interface MethodMark {
  method: string;
  light: string;
  dark: string;
  path: string;
}

export interface Setup {
  job_id: string;
  metric: string;
  metrics: Record<string, string>;
  budgets: number[];
  constraints: Record<string, number>;
  methods: MethodMark[];
  read_at: string;
  ended: boolean;
}

export interface FrontPoint {
  id: string;
  method: string;
  seed: number;
  cost: number;
  validation_accuracy: number;
  test_accuracy: number;
  feasible: boolean;
  on_front: boolean;
}

export interface FrontView {
  metric: string;
  scope: string;
  budgets: number[];
  points: FrontPoint[];
}

export type Accuracy = "validation" | "test";

export function accuracyOf(point: FrontPoint, accuracy: Accuracy): number {
  return accuracy === "test" ? point.test_accuracy : point.validation_accuracy;
}
