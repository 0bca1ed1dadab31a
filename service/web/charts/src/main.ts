/** The entry point: what the page holds decides what is started. */

import { CloudPage, type PackedSetup } from "./cloud_page";
import { startDrawings } from "./drawing_files";
import { FigurePage, type FigureSetup } from "./figure_page";
import { JobPage } from "./job_page";
import { startScrubbers } from "./scrubber";
import type { Setup } from "./types";

startScrubbers();
startDrawings();
const block = document.getElementById("setup");
if (block !== null) {
  const setup = JSON.parse(block.textContent ?? "") as Setup | FigureSetup | PackedSetup;
  if ("cloud" in setup) new CloudPage(setup).start();
  else if ("page" in setup) new FigurePage(setup).start();
  else void new JobPage(setup).start();
}
