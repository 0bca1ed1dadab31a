/** Everything that the front chart is drawn from. */

import type { Theme } from "./theme";
import type { FrontPoint, FrontView, Setup } from "./types";
import type { ViewState } from "./view_state";

export interface Scene {
  setup: Setup;
  front: FrontView;
  state: ViewState;
  theme: Theme;
  narrow: boolean;
}

export function shownPoints(scene: Scene): FrontPoint[] {
  const positive = (point: FrontPoint) => point.cost > 0 || !scene.state.logX;
  return scene.front.points.filter((point) => !scene.state.hidden.has(point.method) && positive(point));
}
