/** A slider over epochs: the address keeps its value, and the server draws what belongs to it. */

import { revealScripted } from "./dom";
import { refreshRegions } from "./regions";

export function startScrubbers(): void {
  const sliders = document.querySelectorAll<HTMLInputElement>("[data-scrub]");
  if (sliders.length > 0) revealScripted(document);
  for (const slider of sliders) {
    let busy = false;
    let moved = false;
    const show = async (): Promise<void> => {
      moved = true;
      if (busy) return; // the drawing that is on its way is followed by the newest
      busy = true;
      while (moved) {
        moved = false;
        const address = new URL(location.href);
        address.searchParams.set(slider.name, slider.value);
        history.replaceState(null, "", address);
        await refreshRegions(address).catch(() => null); // away for a moment: the next move tries again
      }
      busy = false;
    };
    slider.addEventListener("input", () => void show());
  }
}
