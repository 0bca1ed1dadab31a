/** Parallel coordinates as an SVG drawing: mean bits, every cost and the score of each point, as a line. */

import { inside, type CloudPoint, type CloudScene } from "./cloud_types";
import { svgElement } from "./dom";
import { cost, percent } from "./formats";
import { scoreOf, type MethodMark } from "./types";

interface Axis {
  name: string;
  of: (point: CloudPoint) => number | null | undefined;
  logarithmic: boolean;
  words: (value: number) => string;
}

const HEIGHT = 330;
const [TOP, BOTTOM, SIDE, LEAST_GAP] = [34, 34, 48, 84];
const DASHES = ["", "6 3", "2 3", "9 3 2 3"];

export function drawParallel(svg: SVGElement, scene: CloudScene): void {
  const points = scene.cloud.points.filter((point) => point.on_own_front || !scene.choices.hideBeaten);
  const axes = axesOf(scene).filter((axis) => points.some((point) => usable(axis, point) !== null));
  const gap = Math.max(LEAST_GAP, ((svg.parentElement?.clientWidth ?? 0) - 2 * SIDE) / Math.max(axes.length - 1, 1));
  const width = 2 * SIDE + gap * (axes.length - 1);
  for (const [name, value] of [["width", width], ["height", HEIGHT]] as const) svg.setAttribute(name, String(value));
  const scales = axes.map((axis) => scaleOf(axis, points));
  const lines = scene.methods.flatMap((mark, index) => [false, true].map((marked) => path(scene, points, axes, scales, gap, mark, index, marked)));
  lines.sort((a, b) => Number(a.dataset["front"]) - Number(b.dataset["front"]));
  svg.replaceChildren(...lines, ...axes.flatMap((axis, index) => axisLine(axis, scales[index]!, SIDE + gap * index)));
}

function axesOf({ cloud, choices, measure }: CloudScene): Axis[] {
  const number = (value: number) => cost(value);
  const bits = (name: string, of: Axis["of"]): Axis => ({ name, of, logarithmic: false, words: number });
  return [
    bits("mean Bw", (point) => point.mean_weight_bits),
    bits("mean Bs", (point) => point.mean_spike_bits),
    bits("mean T", (point) => point.mean_steps),
    ...cloud.metrics.map((metric): Axis => ({ name: metric, of: (point) => point.costs[metric], logarithmic: true, words: number })),
    { name: measure, of: (point) => scoreOf(point, choices.accuracy), logarithmic: false, words: (value) => percent(value) },
  ];
}

/** The value of a point where the axis can show it. */
function usable(axis: Axis, point: CloudPoint): number | null {
  const value = axis.of(point) ?? null;
  return value === null || (axis.logarithmic && value <= 0) ? null : value;
}

function scaleOf(axis: Axis, points: readonly CloudPoint[]): { least: number; greatest: number } {
  let [least, greatest] = [Infinity, -Infinity];
  for (const point of points) {
    const value = usable(axis, point);
    if (value !== null) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
  }
  return { least, greatest };
}

function height(axis: Axis, { least, greatest }: { least: number; greatest: number }, value: number): number {
  const on = axis.logarithmic ? Math.log : (one: number) => one;
  const share = greatest > least ? (on(value) - on(least)) / (on(greatest) - on(least)) : 0.5;
  return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

/** All lines of a method that stand out, or all that do not: one path, however many points there are. */
function path(scene: CloudScene, points: readonly CloudPoint[], axes: Axis[], scales: { least: number; greatest: number }[], gap: number, mark: MethodMark, index: number, marked: boolean): SVGElement {
  const { region, accuracy } = scene.choices;
  const stands = (point: CloudPoint) => (region === null ? point.on_own_front : inside(region, point.cost, scoreOf(point, accuracy)));
  const own = points.filter((point) => point.method === mark.method && stands(point) === marked);
  const d = own.map((point) => lineOf(point, axes, scales, gap)).join("");
  const opacity = marked ? 0.75 : Math.max(0.03, Math.min(0.25, 20 / Math.max(own.length, 1)));
  const dash = DASHES[index % DASHES.length] ?? "";
  const found = svgElement("path", { d, fill: "none", class: "of-method", "stroke-width": marked ? 1.4 : 1, "stroke-opacity": opacity, "stroke-dasharray": dash });
  found.style.setProperty("--light", mark.light);
  found.style.setProperty("--dark", mark.dark);
  found.dataset["front"] = String(Number(marked));
  found.dataset["lines"] = String(own.length);
  return found;
}

function lineOf(point: CloudPoint, axes: Axis[], scales: { least: number; greatest: number }[], gap: number): string {
  let pen = "M";
  let text = "";
  axes.forEach((axis, index) => {
    const value = usable(axis, point);
    if (value === null) pen = "M";
    else {
      text += `${pen}${(SIDE + gap * index).toFixed(0)} ${height(axis, scales[index]!, value).toFixed(1)}`;
      pen = "L";
    }
  });
  return text;
}

function axisLine(axis: Axis, { least, greatest }: { least: number; greatest: number }, x: number): SVGElement[] {
  const text = (words: string, y: number, className: string) => {
    const found = svgElement("text", { x, y, "text-anchor": "middle", class: className });
    found.textContent = words;
    return found;
  };
  return [
    svgElement("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: "axis", "stroke-width": 1.2 }),
    text(axis.name, 14, "axis-name"),
    text(axis.words(greatest), TOP - 5, "value"),
    text(axis.words(least), HEIGHT - BOTTOM + 15, "value"),
  ];
}
