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

/** The symbol of a method as the server draws it in tables. */
export function markElement(mark: { light: string; dark: string; path: string }): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "mark");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.style.setProperty("--light", mark.light);
  svg.style.setProperty("--dark", mark.dark);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", mark.path);
  svg.append(path);
  return svg;
}

/** Show what only works with this script, and hide what stands in for it. */
export function revealScripted(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>(".script-only")) element.hidden = false;
  for (const element of root.querySelectorAll<HTMLElement>(".plain-only")) element.hidden = true;
}
