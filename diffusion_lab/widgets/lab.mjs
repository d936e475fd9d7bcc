// The exact lab: a mixture whose modes the reader moves, its score at any level, and five samplers side by side, held
// against the ODE and against the law itself. All of it is computed here, from formulas.

import { button, choice, make, onTheme, picture, slider } from "./controls.mjs";
import { RUNS, SPACINGS, TRUTH, measured } from "./contest.mjs";
import { handles } from "./handles.mjs";
import { fixed, ledger } from "./ledger.mjs";
import { mixture } from "./mixture.mjs";
import { plane } from "./plane.mjs";
import { SCHEDULES, logSnr } from "./process.mjs";
import { normals } from "./random.mjs";

const FIELD = 332; // pixels
const PANEL = 156; // two and their borders beside each other are as wide as the field
const REACH = 2.3; // how far out a mode can be moved
const FOLLOWED = 30; // points whose ways are drawn
const AXIS = Array.from({ length: 13 }, (_, i) => 0.4 * (i - 6));

const place = ([x, y]) => `(${fixed(x, 2)}, ${fixed(y, 2)})`;
const size = (x) => x.toFixed(x < 10 ? 3 : 1);

/** [point, arrow] on a grid: sigma times the score, no longer than the way to the next point. */
export function arrows(law, t) {
  const points = AXIS.flatMap((x) => AXIS.map((y) => [x, y]));
  const score = law.score(Float64Array.from(points.flat()), t, SCHEDULES.vp);
  return points.map((point, i) => {
    const arrow = [score[2 * i], score[2 * i + 1]].map((value) => SCHEDULES.vp.sigma(t) * value);
    const length = Math.max(1, Math.hypot(...arrow));
    return [point, arrow.map((value) => (0.36 * value) / length)];
  });
}

/** A row of the table as texts. */
export function cells({ name, calls, toOde, toLaw }) {
  return [name, String(calls ?? "–"), toOde === null ? "–" : size(toOde), size(toLaw)];
}

/** The read-out: where things are, and who came closest to the ODE. */
export function told({ t, modes, chosen, calls, spacing }, results) {
  const level = `Score at t = ${t.toFixed(2)}, log SNR ${fixed(logSnr(SCHEDULES.vp, t), 1)}.`;
  const at = `${level} Mode ${chosen + 1} at ${place(modes[chosen])}.`;
  const paths = results.filter(({ toOde }) => toOde !== null).sort((a, b) => a.toOde - b.toOde);
  if (!paths.length) return at;
  const [best, worst] = [paths[0], paths[paths.length - 1]];
  const ends = `Nearest to the ODE's ends: ${best.name}, ${size(best.toOde)}; farthest: ${worst.name}, ${size(worst.toOde)}.`;
  return `${at} ${calls} calls, steps ${SPACINGS[spacing].label}. ${ends}`;
}

/** {name: label} of what has labels. */
const labels = (things) => Object.fromEntries(Object.entries(things).map(([name, { label }]) => [name, label]));

export function render({ el, model }) {
  const state = {
    ...Object.fromEntries(["t", "std", "calls", "spacing"].map((name) => [name, model.get(name)])),
    modes: model.get("means").map((mean) => [...mean]),
    noise: Float64Array.from(model.get("noise").flat()),
    chosen: 0,
    seed: 1,
  };
  let [law, job, ways, results] = [null, 0, {}, []];

  const seen = "The score at one level, the ODE's points there, and the modes";
  const map = picture(seen, FIELD, FIELD, (context, side, _, color) => {
    const on = plane(context, side, color);
    for (const [point, arrow] of arrows(law, state.t)) on.arrow(point, arrow);
    if (ways.exact) on.dots(ways.exact.find(({ t }) => t <= state.t).x, 3, 0.8);
    state.modes.forEach((mode, k) => on.handle(mode, String(k + 1), k === state.chosen));
  });
  const panels = Object.entries(labels({ exact: TRUTH, ...RUNS })).map(([key, label]) =>
    picture(label, PANEL, PANEL, (context, side, _, color) => {
      const on = plane(context, side, color);
      for (const mode of state.modes) on.ring(mode, 2 * state.std, [3, 3]);
      if (!ways[key]) return;
      for (let n = 0; n < FOLLOWED; n++) on.path(ways[key].map(({ x }) => x), n);
      on.dots(ways[key][ways[key].length - 1].x, 2.5, 0.9);
    }),
  );
  const readout = make("output", { className: "dl-readout" });
  readout.setAttribute("aria-live", "polite");
  const caption = "Root mean square distance to the ODE's ends, and energy distance to the law.";
  const table = ledger(caption, ["Sampler", "calls", "to the ODE", "to the law"]);

  function repaint() {
    const at = `mode ${state.chosen + 1} at ${place(state.modes[state.chosen])}`;
    map.refresh(`${at}; arrow keys move it, number keys choose another`);
    for (const { refresh } of panels) refresh(`the ways of ${FOLLOWED} points, and the ends of all, among the modes`);
  }

  function tell() {
    table.fill(results.map(cells));
    readout.textContent = told(state, results);
  }

  /** The picture at once, the runs when they are done; a later change drops an unfinished one. */
  async function solve() {
    const mine = ++job;
    law = mixture({ means: state.modes, std: state.std });
    repaint();
    const found = await measured({ ...state, law, draw: normals(state.seed) }, () => mine !== job);
    if (!found) return;
    ({ ways, results } = found);
    repaint();
    tell();
  }

  const set = (key) => (value) => {
    state[key] = value;
    solve();
  };
  const look = (key) => (value) => {
    state[key] = value;
    repaint();
    tell();
  };
  const numbered = Object.fromEntries(state.modes.map((_, k) => [k, String(k + 1)]));
  const modes = choice("Mode", numbered, 0, (k) => look("chosen")(Number(k)));
  handles(map.view, {
    points: () => state.modes,
    chosen: () => state.chosen,
    choose(k) {
      modes.querySelector("select").value = k;
      look("chosen")(k);
    },
    move(point) {
      state.modes[state.chosen] = point.map((x) => Math.max(-REACH, Math.min(REACH, x)));
      solve();
    },
  });
  const say = (x) => x.toFixed(2);
  const level = slider("Level t of the score", { min: 0.01, max: 1, step: 0.01, value: state.t, say }, look("t"));
  const width = slider("Width", { min: 0.1, max: 0.5, step: 0.05, value: state.std, say }, set("std"));
  const calls = slider("Calls of the network", { min: 3, max: 41, step: 2, value: state.calls }, set("calls"));
  const spacing = choice("Steps", labels(SPACINGS), state.spacing, set("spacing"));
  const other = button("Draw other noise", () => {
    state.seed += 1;
    set("noise")(state.noise.map(normals(1000 + state.seed)));
  });

  const bar = (...controls) => make("div", { className: "dl-bar" }, ...controls);
  const left = make("div", {}, map.figure, bar(modes, level, width));
  const right = make("div", {}, ...panels.map(({ figure }) => figure));
  Object.assign(right.style, { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "0.5rem 1rem", alignContent: "start" });
  for (const column of [left, right]) column.style.maxWidth = `${FIELD}px`;
  el.append(bar(calls, spacing, other), make("div", { className: "dl-panels" }, left, right), table.element, readout);
  onTheme(repaint);
  solve();
}

export default { render };
