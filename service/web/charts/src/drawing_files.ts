/** Saves a drawing that the server made (the bits of each layer) as a file of its own, on white. */

import type { Figure } from "./figure_types";
import { save, SHARPNESS, svgAddress, type FileKind } from "./save";

const STYLE = `
  text { font: 12px sans-serif; fill: #1a2027 }
  .row-label { font-weight: 650; font-size: 15px }
  .row-note, .name { fill: #3c4650 }
  .name { text-anchor: end; font-size: 11px }
  .value { text-anchor: middle; font-size: 11.5px }
  .base { stroke: #d5dade }
  .steps { fill: #0072b2 } .spike { fill: #009e73 } .weight { fill: #d55e00 }`;

export async function saveDrawing(figure: Figure, kind: FileKind): Promise<void> {
  const drawing = document.querySelector<SVGSVGElement>(`[data-drawing="${figure.key}"] svg`);
  if (drawing === null) return;
  const text = standalone(drawing);
  const address = kind === "svg" ? svgAddress(text) : await pngAddress(text);
  save(address, `${figure.key}.${kind}`);
}

function standalone(drawing: SVGSVGElement): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const style = document.createElementNS(copy.namespaceURI, "style");
  style.textContent = STYLE;
  const ground = document.createElementNS(copy.namespaceURI, "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", "#ffffff"]] as const) ground.setAttribute(name, value);
  copy.prepend(style, ground);
  return new XMLSerializer().serializeToString(copy);
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
