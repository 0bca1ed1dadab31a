/** What a person chose to look at. It lives in the address, so that a link shows the same. */

import type { Accuracy } from "./types";

export interface ViewState {
  metric: string;
  accuracy: Accuracy;
  logX: boolean;
  hidden: ReadonlySet<string>;
  point: string | null;
}

export function readState(address: URL, defaultMetric: string, metrics: readonly string[]): ViewState {
  const query = address.searchParams;
  const metric = query.get("metric");
  return {
    metric: metric !== null && metrics.includes(metric) ? metric : defaultMetric,
    accuracy: query.get("accuracy") === "test" ? "test" : "validation",
    logX: query.get("x") !== "linear",
    hidden: new Set((query.get("hide") ?? "").split(",").filter(Boolean)),
    point: query.get("point"),
  };
}

/** The address of a state; what is as usual is left out. */
export function addressOf(state: ViewState, base: URL, defaultMetric: string): URL {
  const address = new URL(base);
  const query = address.searchParams;
  put(query, "metric", state.metric === defaultMetric ? "" : state.metric);
  put(query, "accuracy", state.accuracy === "test" ? "test" : "");
  put(query, "x", state.logX ? "" : "linear");
  put(query, "hide", [...state.hidden].sort().join(","));
  put(query, "point", state.point ?? "");
  return address;
}

function put(query: URLSearchParams, name: string, value: string): void {
  if (value) query.set(name, value);
  else query.delete(name);
}
