/** Brings the parts of the page that the server draws up to date, without reloading the page. */

import { revealScripted } from "./dom";

/** Fetch this page as it is now; replace each `data-live` part that differs. */
export async function refreshRegions(address: URL): Promise<Document> {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const update = fresh.getElementById(part.id);
    if (update !== null) replacePart(part, update);
  }
  return fresh;
}

function replacePart(part: HTMLElement, update: HTMLElement): void {
  revealScripted(update);
  if (part.outerHTML === update.outerHTML) return;
  const focused = part.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const ticked = [...part.querySelectorAll<HTMLInputElement>("input:checked")].map((box) => box.value);
  const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  part.replaceWith(document.adoptNode(update));
  [...update.querySelectorAll(".scroll")].forEach((box, index) => (box.scrollLeft = scrolled[index] ?? 0));
  for (const box of update.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) box.checked = ticked.includes(box.value);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}
