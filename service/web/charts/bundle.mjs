// Bundles the scripts of the pages: one with charts, and a small one for those that have tables alone. What
// ECharts brings along and no page uses is left out: its Chinese texts and its dark theme (pages have colours of
// their own).
import { build } from "esbuild";

const UNUSED = /echarts[\\/]lib[\\/](i18n[\\/]langZH|theme[\\/]dark)\.js$/;
const leaveOut = {
  name: "leave-out",
  setup: (bundle) => bundle.onLoad({ filter: UNUSED }, () => ({ contents: "export default {}" })),
};

await build({
  entryPoints: { charts: "src/main.ts", tables: "src/tables.ts" },
  outdir: "../static",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "eof",
  logLevel: "warning",
  plugins: [leaveOut],
});
