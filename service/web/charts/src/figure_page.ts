/** A page of figures: draws each, keeps them up to date while their jobs run, and saves them as files. */

import { revealScripted } from "./dom";
import { FigureChart } from "./figure_chart";
import { saveLines } from "./figure_files";
import { Live } from "./live";
import type { FileKind } from "./save";
import type { Figure } from "./figure_types";
import { onThemeChange } from "./theme";

export interface FigureSetup {
  page: "figures";
  figures: Figure[];
}

export class FigurePage {
  private readonly charts = new Map<string, FigureChart>();

  constructor(private setup: FigureSetup) {}

  start(): void {
    revealScripted(document);
    for (const box of document.querySelectorAll<HTMLElement>("[data-figure]")) {
      this.charts.set(box.dataset["figure"] ?? "", new FigureChart(box));
    }
    this.draw();
    onThemeChange(() => this.draw());
    document.addEventListener("click", (event) => this.saveClicked(event));
    new Live({ drawn: (fresh) => this.take(fresh) }).start();
  }

  private draw(): void {
    for (const figure of this.setup.figures) this.charts.get(figure.key)?.draw(figure);
  }

  private saveClicked(event: MouseEvent): void {
    const button = (event.target as Element).closest<HTMLElement>("[data-save]");
    const figure = this.setup.figures.find((known) => known.key === button?.dataset["of"]);
    const kind = button?.dataset["save"] as FileKind;
    if (figure?.kind === "lines") saveLines(figure, kind);
  }

  private take(fresh: Document): void {
    const setup = JSON.parse(fresh.getElementById("setup")?.textContent ?? "") as FigureSetup;
    if (setup.figures.some((figure) => !this.charts.has(figure.key))) location.reload(); // a new figure has come
    this.setup = setup;
    this.draw();
  }
}
