// Bundles the script of the pages. What ECharts brings along and no page uses is left out: its Chinese texts and
// its dark theme (pages have colours of their own).
import { build } from "esbuild";

const UNUSED = /echarts[\\/]lib[\\/](i18n[\\/]langZH|theme[\\/]dark)\.js$/;
const leaveOut = {
  name: "leave-out",
  setup: (bundle) => bundle.onLoad({ filter: UNUSED }, () => ({ contents: "export default {}" })),
};

await build({
  entryPoints: ["src/main.ts"],
  outfile: "../static/charts.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "eof",
  logLevel: "warning",
  plugins: [leaveOut],
});
