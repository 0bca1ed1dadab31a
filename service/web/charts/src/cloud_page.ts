/** The page of fronts: ties the form, the address, the chart, the parallel coordinates and the tables together. */

import { CloudChart } from "./cloud_chart";
import { cloudOption } from "./cloud_option";
import { unpacked, type Choices, type CloudPoint, type CloudView, type PackedCloud, type Region } from "./cloud_types";
import { byId, revealScripted } from "./dom";
import { FigureChart } from "./figure_chart";
import { paper, saveChart, saveLines } from "./figure_files";
import type { Figure } from "./figure_types";
import { Live } from "./live";
import { drawParallel } from "./parallel";
import type { FileKind } from "./save";
import { Selection } from "./selection";
import { onThemeChange } from "./theme";
import type { MethodMark } from "./types";

interface CloudSetup {
  cloud: CloudView;
  methods: MethodMark[];
  measure: string;
  query: string; // the same choice for /v1/fronts
}

export type PackedSetup = Omit<CloudSetup, "cloud"> & { cloud: PackedCloud };

const PAUSE = 200; // ms after the last change before the server is asked
const MOST_ZOOMED = 20_000;
const ENDS = ["cost_min", "cost_max", "score_min", "score_max"] as const;
const USUAL: Record<string, string> = { x: "log", accuracy: "validation", dominated: "faded", over: "compute" };
const DRAWN_HERE = new Set(["x", "zoom", "point"]); // what needs nothing of the server

export class CloudPage {
  private readonly form = byId<HTMLFormElement>("controls");
  private readonly chart: CloudChart;
  private growth: Figure | null = null;
  private readonly selection: Selection;
  private readonly live = new Live({ address: () => this.address(), drawn: (fresh) => this.take(fresh) });
  private timer: number | undefined;

  private setup: CloudSetup;

  constructor(packed: PackedSetup) {
    this.setup = { ...packed, cloud: unpacked(packed.cloud) };
    revealScripted(document);
    this.chart = new CloudChart((point) => this.choose(point), (region) => this.brush(region));
    this.selection = new Selection(() => this.choose(""));
    const query = new URL(location.href).searchParams;
    for (const name of ["zoom", "point"]) this.field(name).value = query.get(name) ?? "";
  }

  start(): void {
    this.form.addEventListener("change", (event) => this.changed((event.target as HTMLInputElement).name));
    byId("budget-slider").addEventListener("input", (event) => this.slide(event.target as HTMLInputElement));
    byId("zoom").addEventListener("click", () => this.put({ zoom: this.field("zoom").value ? "" : "1" }));
    byId("clear-region").addEventListener("click", () => this.put({ cost_min: "", cost_max: "", score_min: "", score_max: "", zoom: "" }));
    document.addEventListener("click", (event) => this.clicked(event));
    onThemeChange(() => this.draw());
    this.placeSlider();
    this.draw();
    void this.loadZoomed();
    void this.loadGrowth();
    this.live.start();
    document.body.dataset["ready"] = "1";
  }

  private field(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private choices(): Choices {
    const number = (name: string) => (this.field(name).value === "" ? null : Number(this.field(name).value));
    const [costMin, costMax, scoreMin, scoreMax] = ENDS.map(number) as (number | null)[];
    const bounded = [costMin, costMax, scoreMin, scoreMax].some((end) => end !== null);
    const least = Math.min(...this.setup.cloud.points.map((point) => point.cost));
    const greatest = Math.max(...this.setup.cloud.points.map((point) => point.cost));
    const region: Region = { cost: [costMin ?? least, costMax ?? greatest], score: [scoreMin ?? 0, scoreMax ?? 1] };
    return {
      accuracy: this.field("accuracy").value === "test" ? "test" : "validation",
      logX: this.field("x").value !== "linear",
      hideBeaten: this.field("dominated").value === "hidden",
      budget: number("budget"),
      region: bounded ? region : null,
      zoom: bounded && this.field("zoom").value !== "",
    };
  }

  private draw(): void {
    const { cloud, methods, measure } = this.setup;
    const scene = { cloud, methods, measure, choices: this.choices() };
    this.chart.draw(scene);
    drawParallel(document.querySelector<SVGElement>("#parallel")!, scene);
    this.tellRegion(scene.choices);
    this.drawSelection();
  }

  private tellRegion({ region, zoom }: Choices): void {
    for (const id of ["zoom", "clear-region"]) byId<HTMLButtonElement>(id).disabled = region === null;
    byId("zoom").textContent = zoom ? "Show the whole" : "Zoom to the region";
    byId("zoom").setAttribute("aria-pressed", String(zoom));
  }

  private drawSelection(): void {
    const point = this.field("point").value;
    const known = this.setup.cloud.points.find((one) => one.id === point);
    if (point === "") this.selection.clear();
    else void this.selection.show(point, known, this.setup.cloud.metric);
  }

  private choose(point: string): void {
    this.put({ point });
    if (point !== "") this.selection.focus();
  }

  private brush(region: Region): void {
    const [costs, scores] = [region.cost.map(String), region.score.map(String)];
    this.put({ cost_min: costs[0]!, cost_max: costs[1]!, score_min: scores[0]!, score_max: scores[1]! });
  }

  /** Fill fields in as a person would. */
  private put(values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) this.field(name).value = value;
    this.changed(...Object.keys(values));
  }

  private placeSlider(): void {
    const slider = byId<HTMLInputElement>("budget-slider");
    const [least, greatest, budget] = [slider.dataset["least"], slider.dataset["greatest"], this.field("budget").value || Infinity].map(Number) as [number, number, number];
    const share = least > 0 && greatest > least ? Math.log(budget / least) / Math.log(greatest / least) : budget / greatest;
    slider.value = String(Math.max(0, Math.min(1, share)) * Number(slider.max));
  }

  private slide(slider: HTMLInputElement): void {
    const [least, greatest] = [Number(slider.dataset["least"]), Number(slider.dataset["greatest"])];
    const share = Number(slider.value) / Number(slider.max);
    const budget = least > 0 ? least * (greatest / least) ** share : greatest * share;
    slider.setAttribute("aria-valuetext", share === 1 ? "no budget" : budget.toPrecision(4));
    this.put({ budget: share === 1 ? "" : String(Number(budget.toPrecision(4))) });
  }

  private changed(...names: string[]): void {
    if (["job", "label", "batch"].includes(names[0] ?? "")) return; // its own button shows other jobs
    if (names[0] === "budget" && document.activeElement?.id !== "budget-slider") this.placeSlider();
    history.replaceState(null, "", this.address());
    this.draw();
    if (names.some((name) => !DRAWN_HERE.has(name))) this.soon();
    void this.loadZoomed();
  }

  /** The form as an address; what is as usual is left out. */
  private address(): URL {
    const found = new URL(location.pathname, location.href);
    for (const [name, value] of new FormData(this.form)) {
      const all = [...this.form.querySelectorAll<HTMLInputElement>(`[type=checkbox][name=${name}]`)];
      const every = name !== "job" && all.length > 0 && all.every((box) => box.checked);
      if (value !== "" && value !== USUAL[name] && !every) found.searchParams.append(name, String(value));
    }
    return found;
  }

  private soon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.live.refresh(), PAUSE);
  }

  private take(fresh: Document): void {
    const packed = JSON.parse(fresh.getElementById("setup")?.textContent ?? "") as PackedSetup;
    this.setup = { ...packed, cloud: unpacked(packed.cloud) };
    this.draw();
    void this.loadZoomed();
    void this.loadGrowth();
  }

  /** How the fronts grew takes the server longer, so it is asked for once the chart is there. */
  private async loadGrowth(): Promise<void> {
    const over = this.field("over").value;
    const answer = await fetch(`/fronts/growth?${this.setup.query}&over=${over}`, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const figure = (JSON.parse(page.getElementById("setup")?.textContent ?? "") as { figures: Figure[] }).figures[0];
    const part = page.getElementById("growth");
    if (figure === undefined || part === null || JSON.stringify(figure) === JSON.stringify(this.growth)) return;
    this.growth = figure;
    revealScripted(part);
    byId("growth").replaceChildren(...[...part.childNodes].map((node) => document.adoptNode(node)));
    new FigureChart(document.querySelector<HTMLElement>("#growth [data-figure]")!).draw(figure);
  }

  /** Zoomed in, every point of the region is fetched: the cloud may lack some. */
  private async loadZoomed(): Promise<void> {
    const { zoom, region, accuracy } = this.choices();
    const { cloud, query } = this.setup;
    if (!zoom || region === null || cloud.shown >= cloud.total) return;
    const [cost, score] = [region.cost, region.score];
    const ranges = `cost_min=${cost[0]}&cost_max=${cost[1]}&score_min=${score[0]}&score_max=${score[1]}&accuracy=${accuracy}`;
    const answer = await fetch(`/v1/fronts/points?${query}&${ranges}&most=${MOST_ZOOMED}`);
    if (!answer.ok || this.setup.cloud !== cloud) return;
    const found = (await answer.json()) as CloudView;
    this.merge(found.points);
    byId("region-note").textContent = `${found.shown} of ${found.total} points of the region are shown.`;
  }

  private merge(points: readonly CloudPoint[]): void {
    const known = new Set(this.setup.cloud.points.map((point) => point.id));
    const more = points.filter((point) => !known.has(point.id));
    if (more.length === 0) return;
    const all = [...this.setup.cloud.points, ...more].sort((a, b) => a.cost - b.cost || b.score - a.score);
    this.setup.cloud.points = all;
    this.draw();
  }

  private clicked(event: MouseEvent): void {
    const target = event.target as Element;
    const button = target.closest<HTMLElement>("[data-draw], [data-save]");
    if (button !== null) this.saveClicked(button.dataset);
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const row = target.closest<HTMLElement>("tr[data-point]");
    if (row === null || target.closest("a[href^='/jobs']")) return;
    event.preventDefault();
    this.choose(row.dataset["point"] ?? "");
  }

  private saveClicked(asked: DOMStringMap): void {
    const { cloud, methods, measure } = this.setup;
    const scene = { cloud, methods, measure, choices: this.choices() };
    const title = `${measure} against ${cloud.metric}`;
    const names = methods.map((mark) => mark.method);
    if (asked["draw"]) saveChart(cloudOption(scene, paper(), false), title, names, `fronts-${cloud.metric}`, asked["draw"] as FileKind);
    if (asked["save"] && this.growth) saveLines(this.growth, asked["save"] as FileKind);
  }
}
