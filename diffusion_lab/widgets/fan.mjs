// The trajectory fan: sampled futures of a driving scene against the regression's one path, along the reverse steps.
// Pure functions first, held against diffusion_lab/metrics/trajectories.py; `render` needs a document. Data: see fan.py.

import { choice, make, onTheme, picture, slider, tick } from "./controls.mjs";
import { DASHES, INKS, paper } from "./charts.mjs";

/** base64 of 16-bit whole numbers -> frames of paths in metres: [x_1, belief at step 0, belief at step 1, ...]. */
export function unpacked(base64, { units, steps, samples, points }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const whole = new DataView(bytes.buffer);
  const metres = (at) => whole.getInt16(2 * at, true) / units;
  const path = (at) => Float64Array.from({ length: 2 * points }, (_, k) => metres(2 * points * at + k));
  return Array.from({ length: steps + 1 }, (_, i) => Array.from({ length: samples }, (_, n) => path(i * samples + n)));
}

/** What is believed about x_0 after i steps; the last belief is the sample. */
export const beliefsAt = (frames, i) => frames[Math.min(i + 1, frames.length - 1)];

/** x_t itself after i steps: Euler on the straight line, x_s = (s / t) x_t + (1 - s / t) x_0_hat. */
export function statesAt(frames, i) {
  const steps = frames.length - 1;
  let now = frames[0];
  for (let k = 0; k < i; k++) {
    const kept = (steps - k - 1) / (steps - k);
    now = now.map((path, n) => path.map((x, c) => kept * x + (1 - kept) * frames[k + 1][n][c]));
  }
  return now;
}

/** Mean distance of two paths over their points. */
export function distance(path, other) {
  let sum = 0;
  for (let k = 0; k < path.length; k += 2) sum += Math.hypot(path[k] - other[k], path[k + 1] - other[k + 1]);
  return sum / (path.length / 2);
}

/** Of several forecasts: the best one's distance to the truth, the mean distance, and which modes some forecast follows. */
export function scored(paths, truth, modes, radius) {
  const off = paths.map((path) => distance(path, truth));
  const found = modes.map((mode) => paths.some((path) => distance(path, mode) <= radius));
  return { minAde: Math.min(...off), meanAde: off.reduce((sum, x) => sum + x, 0) / off.length, found };
}

/** The read-out. */
export function compared({ t, paths, scene, manoeuvres, radius }) {
  const say = (forecasts) => {
    const { minAde, meanAde, found } = scored(forecasts, scene.truth, scene.modes, radius);
    const names = manoeuvres.filter((_, m) => found[m]);
    const mean = forecasts.length > 1 ? ` (mean of all ${meanAde.toFixed(2)} m)` : "";
    const which = names.length ? `: ${names.join(", ")}` : "";
    return `${minAde.toFixed(2)} m off${mean}; follows ${names.length} of ${found.length} manoeuvres${which}`;
  };
  const count = paths.length === 1 ? "one belief" : `best of ${paths.length} beliefs`;
  return [`t = ${t.toFixed(1)}: ${count} ${say(paths)}.`, `The regression's one path: ${say([scene.regression])}.`];
}

const pairs = (path) => Array.from({ length: path.length / 2 }, (_, k) => [path[2 * k], path[2 * k + 1]]);
const AHEAD = 62;

/** What of a scene is worth seeing: its road up to some metres ahead. */
function extent(scene) {
  const seen = scene.road.flatMap(pairs).filter(([x]) => x <= AHEAD).map(([, y]) => y);
  return { x: [-3, AHEAD], y: [Math.min(...seen) - 2, Math.max(...seen) + 4] };
}

function paintFan(context, width, height, color, { scene, paths, manoeuvres }) {
  const drawn = paper(context, { width, height, color, ...extent(scene), xTitle: "metres ahead", yTitle: "metres to the left" });
  const end = (path) => [path[path.length - 2], path[path.length - 1]];
  context.globalAlpha = 0.4;
  for (const edge of scene.road) drawn.line(pairs(edge), { thick: 1 });
  context.globalAlpha = 0.8;
  for (const path of paths) drawn.line([[0, 0], ...pairs(path)], { ink: INKS[0], thick: 1 });
  context.globalAlpha = 1;
  drawn.line([[0, 0], ...pairs(scene.regression)], { ink: INKS[1], dash: DASHES[1], thick: 3 });
  drawn.mark(...end(scene.regression), "square", INKS[1]);
  drawn.line([[0, 0], ...pairs(scene.truth)], { dash: DASHES[2], thick: 2 });
  drawn.mark(...end(scene.truth), "circle", color);
  scene.modes.forEach((mode, m) => {
    drawn.mark(...end(mode), "cross", INKS[3], 4);
    drawn.text(manoeuvres[m], ...end(mode));
  });
}

/** One picture, a scene, a number of samples and the steps. */
export function render({ el, model }) {
  const shape = Object.fromEntries(["units", "steps", "samples", "points"].map((name) => [name, model.get(name)]));
  const [scenes, manoeuvres, radius] = ["scenes", "manoeuvres", "radius"].map((name) => model.get(name));
  const state = { scene: 0, count: shape.samples, step: 0, noisy: false, frames: unpacked(scenes[0].frames, shape) };
  const first = (paths) => paths.slice(0, state.count);
  const shown = () => ({ scene: scenes[state.scene], manoeuvres, radius, t: 1 - state.step / shape.steps });
  const caption = "thin: the fan; dashes, square: regression; dots, circle: what happened; crosses: the four manoeuvres";
  const view = picture(caption, 560, 300, (...canvas) => {
    const paths = state.noisy ? statesAt(state.frames, state.step) : beliefsAt(state.frames, state.step);
    paintFan(...canvas, { ...shown(), paths: first(paths) });
  });
  const told = make("output", { className: "dl-readout" });
  told.setAttribute("aria-live", "polite");

  function set(change) {
    Object.assign(state, change);
    if ("scene" in change) state.frames = unpacked(scenes[state.scene].frames, shape);
    const lines = compared({ ...shown(), paths: first(beliefsAt(state.frames, state.step)) });
    told.replaceChildren(...lines.map((line) => make("div", { textContent: line })));
    view.refresh(lines.join(" "));
  }

  const names = Object.fromEntries(scenes.map(({ name }, i) => [i, name]));
  const times = { min: 0, max: shape.steps, step: 1, value: 0, say: (i) => `t = ${(1 - i / shape.steps).toFixed(1)}` };
  const counts = { min: 1, max: shape.samples, step: 1, value: shape.samples };
  el.append(
    make("div", { className: "dl-bar" },
      choice("Scene", names, "0", (i) => set({ scene: Number(i) })),
      slider("Reverse step", times, (step) => set({ step })),
      slider("Samples", counts, (count) => set({ count })),
      tick("draw x_t in place of the beliefs", false, (noisy) => set({ noisy }))),
    make("div", { className: "dl-panels" }, view.figure),
    told,
  );
  onTheme(() => set({}));
  set({});
}

export default { render };
