/** Bounds and ticks of the cost axis, chosen so that every point and every limit is inside. */

export interface CostAxis {
  min: number;
  max: number;
  ticks: number[];
}

const ACCURACY_STEPS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const MOST_TICKS = 9;
const GREATEST_BITS = 1000; // costs below it read well at powers of two

export function costAxis(costs: readonly number[], limits: readonly number[], logarithmic: boolean): CostAxis {
  const positive = [...costs, ...limits].filter((cost) => cost > 0);
  if (positive.length === 0) return { min: logarithmic ? 1 : 0, max: 10, ticks: [1, 2, 5, 10] };
  const least = positive.reduce((a, b) => Math.min(a, b));
  const greatest = positive.reduce((a, b) => Math.max(a, b));
  return logarithmic ? logAxis(least, greatest) : linearAxis(greatest);
}

function logAxis(least: number, greatest: number): CostAxis {
  const margin = Math.max((greatest / least) ** 0.06, 1.08);
  const [min, max] = [least / margin, greatest * margin];
  const decades = [[1, 2, 5], [1, 3], [1]].map((steps) => decadeTicks(min, max, steps));
  const all = greatest < GREATEST_BITS ? [octaveTicks(min, max), ...decades] : decades;
  return { min, max, ticks: all.find((ticks) => ticks.length <= MOST_TICKS) ?? [min, max] };
}

/** Powers of two: bit budgets are usually among them. */
function octaveTicks(min: number, max: number): number[] {
  const first = Math.ceil(Math.log2(min));
  const count = Math.max(0, Math.floor(Math.log2(max)) - first + 1);
  return Array.from({ length: count }, (_, index) => 2 ** (first + index));
}

function decadeTicks(min: number, max: number, steps: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power += 1) {
    for (const step of steps) ticks.push(Number((step * 10 ** power).toPrecision(1)));
  }
  return ticks.filter((tick) => tick >= min && tick <= max);
}

function linearAxis(greatest: number): CostAxis {
  const max = greatest * 1.06;
  const raw = max / 7;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * size >= raw) ?? 10) * size;
  const ticks = Array.from({ length: Math.floor(max / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
  return { min: 0, max, ticks };
}

/** Bounds and step of the accuracy axis: whole steps, with room around what is shown. */
export function accuracyAxis(accuracies: readonly number[], parts: number): { min: number; max: number; step: number } {
  if (accuracies.length === 0) return { min: 0, max: 1, step: 0.2 };
  const least = accuracies.reduce((a, b) => Math.min(a, b));
  const greatest = accuracies.reduce((a, b) => Math.max(a, b));
  const room = Math.max((greatest - least) * 0.06, 0.004);
  const raw = (greatest - least + 2 * room) / parts;
  const step = ACCURACY_STEPS.find((one) => one >= raw) ?? 0.2;
  const min = Math.max(0, Math.floor((least - room) / step) * step);
  return { min, max: Math.min(1, Math.ceil((greatest + room) / step) * step), step };
}
