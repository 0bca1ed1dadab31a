/** A figure as the server describes it. */

export interface Spread {
  mean: number;
  median: number;
  least: number;
  greatest: number;
  deviation: number | null;
  count: number;
}

export interface FigurePoint {
  x: number | string;
  spread: Spread;
}

export interface FigureSeries {
  name: string;
  points: FigurePoint[];
}

export interface Look {
  light: string;
  dark: string;
  path: string;
}

export interface Figure {
  key: string;
  title: string;
  kind: "lines" | "bars";
  middle: "mean" | "median"; // what a line goes through
  x_label: string;
  y_label: string;
  log_x: boolean;
  shares: boolean;
  series: FigureSeries[];
  looks: Look[];
}
