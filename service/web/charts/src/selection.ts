/** The chosen point: its facts and its layers, taken from the point's own page. */

import { byId, make } from "./dom";
import { cost, percent } from "./formats";
import type { FrontPoint } from "./types";

export class Selection {
  private readonly panel = byId("selected");
  private wanted: string | null = null;

  constructor(deselect: () => void) {
    byId("deselect").addEventListener("click", deselect);
  }

  clear(): void {
    this.wanted = null;
    this.panel.hidden = true;
    this.markRows(null);
  }

  /** Show a point; `known` has its costs in the metric shown, where the chart holds it. */
  async show(pointId: string, known: FrontPoint | undefined, metric: string): Promise<void> {
    this.facts(pointId, known, metric);
    this.markRows(pointId);
    if (this.wanted === pointId) return;
    this.wanted = pointId;
    const layers = await fetchLayers(pointId);
    if (this.wanted !== pointId) return;
    byId("selected-layers").replaceChildren(...layers);
    this.panel.hidden = false;
  }

  focus(): void {
    this.panel.focus({ preventScroll: true });
    this.panel.scrollIntoView({ block: "nearest" });
  }

  /** Mark the rows of a point; called again when tables were replaced. */
  markRows(pointId: string | null): void {
    for (const row of document.querySelectorAll<HTMLElement>("tr[data-point]")) {
      row.classList.toggle("chosen", row.dataset["point"] === pointId);
    }
  }

  private facts(pointId: string, known: FrontPoint | undefined, metric: string): void {
    byId("selected-title").textContent = known ? `${known.method}, seed ${known.seed}` : "Point";
    const link = make("a", `Open ${pointId}`) as HTMLAnchorElement;
    link.href = `/points/${pointId}`;
    const numbers = known
      ? `${metric} ${cost(known.cost)}, validation ${percent(known.score, 2)}, test ${percent(known.test_score, 2)}. `
      : "";
    byId("selected-facts").replaceChildren(numbers, link);
  }
}

async function fetchLayers(pointId: string): Promise<Node[]> {
  const answer = await fetch(`/points/${encodeURIComponent(pointId)}`, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const layers = page.getElementById("allocation");
  if (!answer.ok || layers === null) return [make("p", "This point is not there.")];
  return [...layers.childNodes].map((node) => document.adoptNode(node));
}
