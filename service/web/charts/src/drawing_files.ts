/** Saves what stands on a page as SVG as a file of its own: in the light theme, on white, whatever the page looks like. */

import { svgElement } from "./dom";
import { save, SHARPNESS, svgAddress, type FileKind } from "./save";

const STYLES = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "text-anchor", "font-family", "font-size", "font-weight", "overflow"];
const OUTER = "svg:not(svg svg)"; // a drawing, and none of those inside one

/** Every button that saves a drawing does so from now on. */
export function startDrawings(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-save-drawing]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const asked = (event.target as Element).closest<HTMLElement>("[data-save-drawing]")?.dataset;
    if (asked) void saveDrawing(asked["of"] ?? "", asked["saveDrawing"] as FileKind);
  });
}

async function saveDrawing(key: string, kind: FileKind): Promise<void> {
  const box = document.querySelector<HTMLElement>(`[data-drawing="${key}"]`);
  if (box === null) return;
  const text = inLight(box, () => standalone([...box.querySelectorAll<SVGSVGElement>(OUTER)]));
  save(kind === "svg" ? svgAddress(text) : await pngAddress(text), `${key}.${kind}`);
}

/** What a function finds while a box has the colours of the light theme. */
function inLight<Found>(box: HTMLElement, look: () => Found): Found {
  const parts = [box, ...box.querySelectorAll<SVGElement>('[style*="--light"]')]; // the latter in the colour of a method
  const before = parts.map((part) => part.style.cssText);
  for (const [name, value] of lightColours()) box.style.setProperty(name, value);
  for (const part of parts.slice(1)) part.style.setProperty("--dark", part.style.getPropertyValue("--light"));
  const found = look();
  parts.forEach((part, index) => (part.style.cssText = before[index] ?? ""));
  return found;
}

function lightColours(): [string, string][] {
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule instanceof CSSStyleRule && rule.selectorText === ":root") return [...rule.style].map((name) => [name, rule.style.getPropertyValue(name)]);
    }
  }
  return [];
}

/** The drawings where they stand to each other, as one; each under its title where it has one. */
function standalone(drawings: SVGSVGElement[]): string {
  const places = drawings.map((drawing) => drawing.getBoundingClientRect());
  const above = drawings.some((drawing) => drawing.dataset["title"]) ? 22 : 0;
  const [left, top] = [Math.min(...places.map((place) => place.left)), Math.min(...places.map((place) => place.top)) - above];
  const whole = svgElement("svg", { width: Math.max(...places.map((place) => place.right)) - left, height: Math.max(...places.map((place) => place.bottom)) - top });
  whole.append(svgElement("rect", { width: "100%", height: "100%", fill: "#ffffff" }));
  drawings.forEach((drawing, index) => {
    const [x, y] = [places[index]!.left - left, places[index]!.top - top];
    if (drawing.dataset["title"]) {
      const title = svgElement("text", { x, y: y - 7, "font-family": "sans-serif", "font-size": 14, "font-weight": 650 });
      title.textContent = drawing.dataset["title"];
      whole.append(title);
    }
    whole.append(placed(drawing, { x, y, width: places[index]!.width, height: places[index]!.height }));
  });
  return new XMLSerializer().serializeToString(whole);
}

function placed(drawing: SVGSVGElement, place: Record<string, number>): SVGElement {
  const copy = drawing.cloneNode(true) as SVGElement;
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, String(value));
  const copies = [...copy.querySelectorAll<SVGElement>("*")];
  [...drawing.querySelectorAll<SVGElement>("*")].forEach((part, index) => {
    const style = getComputedStyle(part);
    copies[index]!.setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  return copy;
}

async function pngAddress(text: string): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * SHARPNESS, image.height * SHARPNESS];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}
