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
  measure: string; // what scores of the job's objective are called
  metrics: Record<string, string>;
  budgets: number[];
  constraints: Record<string, number>;
  methods: MethodMark[];
}

export interface FrontPoint {
  id: string;
  method: string;
  seed: number;
  cost: number;
  score: number; // of the job's objective on the validation split, 0 to 1
  test_score: number;
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

/** The score of a point on the split of that name. */
export function scoreOf(point: FrontPoint, accuracy: Accuracy): number {
  return accuracy === "test" ? point.test_score : point.score;
}
