/** The job page: ties the chart, the tables, the choices in the address and the event stream together. */

import { byId, revealScripted } from "./dom";
import { paper, saveChart } from "./figure_files";
import { FrontChart } from "./front_chart";
import { frontOption } from "./front_option";
import { fillLegend } from "./legend";
import { Live } from "./live";
import { pointsTable } from "./points_table";
import type { FileKind } from "./save";
import { Selection } from "./selection";
import { currentTheme, onThemeChange } from "./theme";
import type { Accuracy, FrontView, Setup } from "./types";
import { addressOf, readState, type ViewState } from "./view_state";

export class JobPage {
  private state: ViewState;
  private front: FrontView = { metric: "", scope: "searched", budgets: [], points: [] };
  private readonly live = new Live({ drawn: (_, points) => this.take(points) });
  private readonly chart: FrontChart;
  private readonly selection: Selection;

  constructor(private readonly setup: Setup) {
    this.state = readState(new URL(location.href), setup.metric, Object.keys(setup.metrics));
    revealScripted(document);
    this.chart = new FrontChart(byId("front-chart"), (point) => void this.choosePoint(point));
    this.selection = new Selection(() => void this.choosePoint(null));
    this.listen();
  }

  async start(): Promise<void> {
    await this.loadFront();
    this.live.start();
  }

  private listen(): void {
    const controls = byId<HTMLFormElement>("controls");
    const logX = byId<HTMLInputElement>("log-x");
    logX.checked = this.state.logX;
    controls.addEventListener("submit", (event) => event.preventDefault());
    controls.addEventListener("change", () => {
      const chosen = new FormData(controls);
      const accuracy = chosen.get("accuracy") as Accuracy;
      void this.change({ metric: String(chosen.get("metric")), accuracy, logX: logX.checked });
    });
    fillLegend(byId("legend"), this.setup.methods, this.state.hidden, (hidden) => void this.change({ hidden }));
    document.addEventListener("click", (event) => this.rowClicked(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.state.point !== null) void this.choosePoint(null);
    });
    onThemeChange(() => void this.draw());
  }

  /** A click on a row, or Enter on its link, shows the point here; with a modifier the link opens as ever. */
  private rowClicked(event: MouseEvent): void {
    const kind = (event.target as Element).closest<HTMLElement>("[data-draw]")?.dataset["draw"];
    if (kind) this.save(kind as FileKind);
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const row = (event.target as Element).closest<HTMLElement>("tr[data-point]");
    if (row?.dataset["point"] === undefined) return;
    event.preventDefault();
    void this.choosePoint(row.dataset["point"]).then(() => this.selection.focus());
  }

  private save(kind: FileKind): void {
    const { setup, front, state } = this;
    const option = { ...frontOption({ setup, front, state, theme: paper(), narrow: false }), animation: false };
    const names = setup.methods.map((mark) => mark.method).filter((method) => !state.hidden.has(method));
    saveChart(option, `${setup.measure} against ${front.metric}`, names, `front-${front.metric}`, kind);
  }

  private async change(part: Partial<ViewState>): Promise<void> {
    const before = this.state;
    this.state = { ...before, ...part };
    const address = addressOf(this.state, new URL(location.href), this.setup.metric);
    history.replaceState(null, "", address);
    const reload = before.metric !== this.state.metric;
    if (reload) await this.loadFront();
    else await this.draw();
    if (reload || before.accuracy !== this.state.accuracy) await this.live.refresh();
  }

  private async choosePoint(point: string | null): Promise<void> {
    await this.change({ point });
  }

  private async take(points: boolean): Promise<void> {
    if (points) await this.loadFront();
    this.selection.markRows(this.state.point);
  }

  private async loadFront(): Promise<void> {
    const metric = this.state.metric;
    const answer = await fetch(`/v1/jobs/${this.setup.job_id}/front?all_points=true&metric=${metric}`);
    if (!answer.ok) throw new Error(`the front answered ${answer.status}`);
    const front = (await answer.json()) as FrontView;
    if (metric !== this.state.metric) return; // a later choice is on its way
    this.front = front;
    await this.draw();
  }

  private async draw(): Promise<void> {
    const { setup, front, state } = this;
    const shown = front.points.filter((point) => !state.hidden.has(point.method));
    this.chart.draw({ setup, front, state, theme: currentTheme() });
    byId("all-points-table").replaceChildren(pointsTable(shown, front.metric, setup.measure, setup.methods));
    byId("chart-note").textContent =
      `${setup.metrics[front.metric] ?? ""}. The line is the front over all methods; ` +
      (state.accuracy === "test" ? `its points were chosen by validation ${setup.measure}, so it may fall here.` : "larger symbols are on it, hollow ones are over a limit.");
    await this.drawSelection();
  }

  private async drawSelection(): Promise<void> {
    const { point, metric } = this.state;
    if (point === null) this.selection.clear();
    else await this.selection.show(point, this.front.points.find((known) => known.id === point), metric);
  }
}
