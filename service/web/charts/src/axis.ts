/** Bounds and ticks of the cost axis, chosen so that every point and every limit is inside. */

export interface CostAxis {
  min: number;
  max: number;
  ticks: number[];
}

const MOST_TICKS = 9;

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
  const all = [[1, 2, 5], [1, 3], [1]].map((steps) => decadeTicks(min, max, steps));
  return { min, max, ticks: all.find((ticks) => ticks.length <= MOST_TICKS) ?? [min, max] };
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

/** Bounds of the accuracy axis in whole percents, with room around what is shown. */
export function accuracyBounds(accuracies: readonly number[]): [number, number] {
  if (accuracies.length === 0) return [0, 1];
  const least = accuracies.reduce((a, b) => Math.min(a, b));
  const greatest = accuracies.reduce((a, b) => Math.max(a, b));
  const room = Math.max((greatest - least) * 0.12, 0.01);
  return [Math.max(0, Math.floor((least - room) * 100) / 100), Math.min(1, Math.ceil((greatest + room) * 100) / 100)];
}
