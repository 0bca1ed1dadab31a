/** The colours of the style sheet, read anew whenever the page turns light or dark. */

import type { MethodMark } from "./types";

export interface Theme {
  dark: boolean;
  ink: string;
  quiet: string;
  line: string;
  card: string;
  link: string;
  feasible: string;
  beyond: string;
  font: string;
}

const DARK = window.matchMedia("(prefers-color-scheme: dark)");

export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    dark: DARK.matches,
    ink: colour("ink"),
    quiet: colour("quiet"),
    line: colour("line"),
    card: colour("card"),
    link: colour("link"),
    feasible: colour("feasible"),
    beyond: colour("beyond"),
    font: style.fontFamily,
  };
}

export function onThemeChange(act: () => void): void {
  DARK.addEventListener("change", act);
}

export function colourOf(mark: MethodMark, theme: Theme): string {
  return theme.dark ? mark.dark : mark.light;
}
