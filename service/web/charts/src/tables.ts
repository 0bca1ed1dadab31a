/** The entry point of pages that have tables alone: they are kept up to date. */

import { revealScripted } from "./dom";
import { Live } from "./live";

revealScripted(document);
new Live().start();
