// Guidance where p(c|x) is known exactly: the law that guided samplers draw from, beside the tilted law that they are said
// to draw from. Everything is computed here, from formulas.

import { DASHES, INKS, paper } from "./charts.mjs";
import { make, onTheme, picture, slider, tick } from "./controls.mjs";
import { fixed, ledger } from "./ledger.mjs";
import { finished } from "./slices.mjs";
import { carried, classes, counted, flowing, guidedBy, tilted, wandering } from "./tilt.mjs";

const HEIGHT = 260;
const MIDDLE = { low: 0.2, high: 0.7 };
const NAMES = { class: "p(x|c)", tilted: "tilted law, p(x) p(c|x)^w", ode: "CFG by the ODE", sde: "CFG by the reverse SDE" };
const STYLES = {
  class: { dash: DASHES[2], thick: 1.5 },
  tilted: { ink: INKS[0], thick: 3 },
  ode: { ink: INKS[1], dash: DASHES[1], thick: 3 },
  sde: { ink: INKS[2], thick: 1.5 },
};

/** The laws at one setting as they are found: what needs no sampling, then the ODE's, then the SDE's. */
export async function* laws({ w, gap, std, middle }, stale) {
  const law = classes({ gap, std });
  const predict = guidedBy(law, { w, ...(middle ? MIDDLE : {}) });
  const found = { class: tilted(law, 1), tilted: tilted(law, w) };
  for (const [name, steps, seen] of [["ode", flowing(predict), carried], ["sde", wandering(predict, 1), counted]]) {
    const last = await finished(steps, stale);
    if (!last) return;
    found[name] = seen(last.x);
    yield found;
  }
}

/** The table's rows as texts; dots stand for what is still being drawn. */
export const spread = (found) =>
  Object.entries(NAMES).map(([key, name]) => {
    const number = (x) => (x === undefined ? "…" : fixed(x, 2));
    return [name, number(found[key]?.mean), number(found[key]?.std)];
  });

/** The read-out. */
export function compared({ w, middle }, { tilted: aim, ode, sde }) {
  const pair = ({ mean, std }) => `mean ${fixed(mean, 2)}, deviation ${fixed(std, 2)}`;
  const where = middle ? " at middle levels only" : "";
  return `Guided with w = ${w}${where}: by the ODE ${pair(ode)}; by the SDE ${pair(sde)}. The tilted law: ${pair(aim)}.`;
}

/** The window on the line, and how high the highest curve stands. */
function range(found, gap) {
  const high = Math.max(...Object.values(found).flatMap(({ curve }) => curve.map(([, p]) => p)));
  return { x: [-gap - 2, Math.max(gap + 2, found.ode.mean + 1.5)], y: [0, 1.08 * high] };
}

export function render({ el, model }) {
  const state = { w: model.get("w"), gap: model.get("gap"), std: model.get("std"), middle: false };
  const wide = Math.max(280, Math.min(600, el.clientWidth - 2));
  let [found, job] = [null, 0];

  const seen = "Densities on the line; the other class is on the left";
  const chart = picture(seen, wide, HEIGHT, (context, width, height, color) => {
    if (!found) return;
    const { x, y } = range(found, state.gap);
    const on = paper(context, { width, height, color, x, y, xTitle: "x", yTitle: "" });
    for (const [key, { curve }] of Object.entries(found)) on.line(curve, STYLES[key]);
    Object.entries(NAMES).forEach(([key, name], k) => {
      const [left, level] = [x[0] + 0.02 * (x[1] - x[0]), y[1] * (0.96 - 0.085 * k)];
      const right = left + 0.09 * (x[1] - x[0]);
      on.line([[left, level], [right, level]], STYLES[key]);
      on.text(name, right, level);
    });
  });
  const table = ledger("The SDE is 3,000 draws in 200 steps: right to about 0.02.", ["Law", "mean", "deviation"]);
  const readout = make("output", { className: "dl-readout" });
  readout.setAttribute("aria-live", "polite");
  const repaint = () => chart.refresh(readout.textContent);

  async function solve() {
    const mine = ++job;
    for await (const known of laws(state, () => mine !== job)) {
      found = known;
      table.fill(spread(found));
      if (found.sde) readout.textContent = compared(state, found);
      repaint();
    }
  }
  const set = (key) => (value) => {
    state[key] = value;
    solve();
  };
  const scale = slider("Guidance scale w", { min: 0, max: 8, step: 0.5, value: state.w }, set("w"));
  const say = (gap) => `±${gap.toFixed(1)}`;
  const apart = slider("Centres of the classes", { min: 0.2, max: 2, step: 0.1, value: state.gap, say }, set("gap"));
  const some = tick("Guide only for 0.2 < t ≤ 0.7", false, set("middle"));
  el.append(make("div", { className: "dl-bar" }, scale, apart, some), chart.figure, table.element, readout);
  onTheme(repaint);
  solve();
}

export default { render };
