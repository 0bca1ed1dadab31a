/** Small helpers over the document. */

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

export function make(tag: string, text = "", className = ""): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export function svgElement(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** The symbol of a method as the server draws it in tables. */
export function markElement(mark: { light: string; dark: string; path: string }): SVGElement {
  const svg = svgElement("svg", { class: "mark", viewBox: "0 0 24 24", "aria-hidden": "true" });
  svg.style.setProperty("--light", mark.light);
  svg.style.setProperty("--dark", mark.dark);
  svg.append(svgElement("path", { d: mark.path }));
  return svg;
}

/** Show what only works with this script, and hide what stands in for it. */
export function revealScripted(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>(".script-only")) element.hidden = false;
  for (const element of root.querySelectorAll<HTMLElement>(".plain-only")) element.hidden = true;
}
