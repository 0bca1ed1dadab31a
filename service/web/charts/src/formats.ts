/** Numbers and times as the server writes them. */

const PREFIXES: [from: number, unit: number, name: string][] = [
  [1e12, 1e12, "T"],
  [1e9, 1e9, "G"],
  [1e6, 1e6, "M"],
  [1e4, 1e3, "k"],
];
const NARROW = "\u202f";

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}${NARROW}%`;
}

export function cost(value: number): string {
  for (const [least, unit, prefix] of PREFIXES) {
    if (Math.abs(value) >= least) return `${digits(value / unit)}${NARROW}${prefix}`;
  }
  return digits(value);
}

export function ago(moment: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - moment.getTime()) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 90) return `${seconds}${NARROW}s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}${NARROW}min ago`;
  return `${Math.round(seconds / 3600)}${NARROW}h ago`;
}

function digits(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
