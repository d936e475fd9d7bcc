// The schedule explorer: a_t, sigma_t and log SNR of five schedules, shifted and rescaled, with every number at one t.
// Pure functions first, held against diffusion_lab/schedules.py; `render` needs a document.

import { choice, make, onTheme, picture, slider, tick } from "./controls.mjs";
import { DASHES, INKS, paper } from "./charts.mjs";
import { SCHEDULES, logSnr, timeAt } from "./process.mjs";

const STEPS = 1000;

/** beta_1..beta_T between two ends, evenly spaced after `bend`. */
const betas = (first, last, bend, unbend) =>
  Array.from({ length: STEPS }, (_, i) => unbend(bend(first) + ((bend(last) - bend(first)) * i) / (STEPS - 1)));

/** phi_i = atan2(sigma_i, a_i) at t = i / T of a table of betas. */
function angles(table) {
  let logAlphaBar = 0;
  const found = [0];
  for (const beta of table) {
    logAlphaBar += Math.log1p(-beta);
    found.push(Math.atan2(Math.sqrt(-Math.expm1(logAlphaBar)), Math.exp(logAlphaBar / 2)));
  }
  return found;
}

/** Shift and stretch a_1..a_T so that the last is 0 and the first stays (Lin et al. 2024, algorithm 1). */
function stretched([start, ...rest]) {
  const [first, last] = [Math.cos(rest[0]), Math.cos(rest[rest.length - 1])];
  const moved = rest.map((phi) => ((Math.cos(phi) - last) * first) / (first - last));
  return [start, ...moved.map((a) => Math.atan2(Math.sqrt(1 - a * a), a))];
}

/** A table as a schedule: exact at t = i / T, the angle interpolated between. */
function tabled(label, phi) {
  const angle = (t) => {
    const i = Math.min(Math.floor(t * STEPS), STEPS - 1);
    return phi[i] + (t * STEPS - i) * (phi[i + 1] - phi[i]);
  };
  return { label, a: (t) => Math.cos(angle(t)), sigma: (t) => Math.sin(angle(t)), rescaled: () => tabled(label, stretched(phi)) };
}

const same = (x) => x;

/** What can be explored; a table can be rescaled. The flow keeps a + sigma = 1 when it is shifted, all others a^2 + sigma^2. */
export const EXPLORED = {
  linear: tabled("DDPM's table (linear β)", angles(betas(1e-4, 0.02, same, same))),
  scaled_linear: tabled("Stable Diffusion's table (linear √β)", angles(betas(0.00085, 0.012, Math.sqrt, (x) => x * x))),
  vp: SCHEDULES.vp,
  cosine: SCHEDULES.cosine,
  flow: { ...SCHEDULES.flow, norm: (a, sigma) => a + sigma },
};

/** sigma / a times kappa: log SNR falls by 2 log kappa everywhere. */
export function shiftedBy(schedule, kappa) {
  const norm = schedule.norm ?? Math.hypot;
  const size = (t) => norm(schedule.a(t), kappa * schedule.sigma(t));
  return { ...schedule, a: (t) => schedule.a(t) / size(t), sigma: (t) => (kappa * schedule.sigma(t)) / size(t) };
}

/** The chosen schedule as the controls say. */
export function adjusted({ name, kappa, rescale }) {
  const schedule = EXPLORED[name];
  return shiftedBy(rescale && schedule.rescaled ? schedule.rescaled() : schedule, kappa);
}

/** Everything that is printed about one time. */
export function numbersAt(schedule, t) {
  const [a, sigma] = [schedule.a(t), schedule.sigma(t)];
  return { a, sigma, snr: (a / sigma) ** 2, logSnr: logSnr(schedule, t), k: sigma / a };
}

/** The share of uniform training times between neighbouring edges (rising log SNRs); what lies beyond counts at the ends. */
export function shares(schedule, edges) {
  const times = edges.map((edge) => timeAt(schedule, edge));
  times[0] = 1;
  times[times.length - 1] = 0;
  return times.slice(1).map((t, i) => times[i] - t);
}

/** Four digits, with nothing for what is only rounding. */
export function spelt(x) {
  if (Number.isNaN(x) || Math.abs(x) === Infinity) return x > 0 ? "∞" : "−∞";
  if (Math.abs(x) < 1e-12) return "0";
  const small = Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5;
  return (small ? x.toExponential(2) : String(Number(x.toPrecision(4)))).replaceAll("-", "−");
}

/** The read-out. */
export function reported(schedule, t) {
  const here = numbersAt(schedule, t);
  const end = numbersAt(schedule, 1);
  const level = here.a < 1e-12 ? -Infinity : here.logSnr;
  const share = (x) => `${(100 * x).toFixed(1)} %`;
  return [
    `t = ${t.toFixed(3)}: a = ${spelt(here.a)}, σ = ${spelt(here.sigma)}, SNR = ${spelt(here.snr)}, `
      + `log SNR = ${spelt(level)} (half of it ${spelt(level / 2)}), σ / a = ${here.a < 1e-12 ? "∞" : spelt(here.k)}.`,
    `The end, t = 1: SNR = ${spelt(end.a < 1e-12 ? 0 : end.snr)}; ${share(end.a)} of the data's amplitude is left.`,
    `Of uniform training times ${share(timeAt(schedule, 0))} have more signal than noise, `
      + `${share(1 - timeAt(schedule, Math.log(0.01)))} an SNR below 0.01.`,
  ];
}

const TIMES = Array.from({ length: 201 }, (_, i) => i / 200);
const EDGES = Array.from({ length: 31 }, (_, i) => i - 15);

function paintCurves(context, width, height, color, { main, other, t }) {
  const drawn = paper(context, { width, height, color, x: [0, 1], y: [0, 1.05], xTitle: "t" });
  const curve = (f, style) => drawn.line(TIMES.map((u) => [u, f(u)]), style);
  if (other) {
    curve(other.a, { ink: INKS[0], thick: 1 });
    curve(other.sigma, { ink: INKS[1], dash: DASHES[1], thick: 1 });
  }
  curve(main.a, { ink: INKS[0], thick: 2.5 });
  curve(main.sigma, { ink: INKS[1], dash: DASHES[1], thick: 2.5 });
  drawn.line([[t, 0], [t, 1.05]], { dash: DASHES[2], thick: 1 });
  drawn.mark(t, main.a(t), "circle", INKS[0]);
  drawn.mark(t, main.sigma(t), "square", INKS[1], 4);
}

function paintLogSnr(context, width, height, color, { main, other, t }) {
  const drawn = paper(context, { width, height, color, x: [0, 1], y: [-15, 15], xTitle: "t" });
  drawn.line([[0, 0], [1, 0]], { dash: DASHES[2], thick: 1 });
  if (other) drawn.line(TIMES.map((u) => [u, logSnr(other, u)]), { ink: INKS[1], dash: DASHES[1] });
  drawn.line(TIMES.map((u) => [u, logSnr(main, u)]), { ink: INKS[0], thick: 2.5 });
  drawn.mark(t, Math.max(-15, Math.min(15, logSnr(main, t))), "circle", INKS[0]);
}

function paintShares(context, width, height, color, { main, other, t }) {
  const counted = [main, other].filter(Boolean).map((schedule) => shares(schedule, EDGES));
  const top = 1.1 * Math.max(...counted.flat());
  const drawn = paper(context, { width, height, color, x: [-15, 15], y: [0, top], xTitle: "log SNR" });
  const stairs = (heights) => heights.flatMap((h, i) => [[EDGES[i], h], [EDGES[i + 1], h]]);
  if (other) drawn.line(stairs(counted[1]), { ink: INKS[1], dash: DASHES[1] });
  drawn.line(stairs(counted[0]), { ink: INKS[0], thick: 2.5 });
  const at = Math.max(-14.9, Math.min(14.9, logSnr(main, t)));
  drawn.line([[at, 0], [at, top]], { dash: DASHES[2], thick: 1 });
}

/** Three pictures, five controls and the numbers. */
export function render({ el, model }) {
  const state = { name: model.get("schedule"), other: model.get("other"), kappa: 1, rescale: false, t: model.get("t") };
  const shown = () => ({ main: adjusted(state), other: EXPLORED[state.other], t: state.t });
  const view = (caption, paint) => picture(caption, 305, 210, (...canvas) => paint(...canvas, shown()));
  const views = [
    view("a (circle), σ (square); thin: compared", paintCurves),
    view("log SNR; dashes: compared", paintLogSnr),
    view("uniform times: share per unit of log SNR", paintShares),
  ];
  const told = make("output", { className: "dl-readout" });
  told.setAttribute("aria-live", "polite");
  const rescale = tick("rescale to zero terminal SNR", false, (on) => set({ rescale: on }));
  const names = Object.fromEntries(Object.entries(EXPLORED).map(([name, { label }]) => [name, label]));

  function set(change) {
    Object.assign(state, change);
    const { main } = shown();
    rescale.querySelector("input").disabled = !EXPLORED[state.name].rescaled; // the others reach zero, or have no table
    const lines = reported(main, state.t);
    for (const one of views) one.refresh(lines[0]);
    told.replaceChildren(...lines.map((line) => make("div", { textContent: line })));
  }

  const kappa = { min: -3, max: 3, step: 0.1, value: 0, say: (x) => `κ = ${(2 ** x).toFixed(2)}` };
  el.append(
    make("div", { className: "dl-bar" },
      choice("Schedule", names, state.name, (name) => set({ name })),
      choice("Compared with", { none: "nothing", ...names }, state.other, (other) => set({ other })),
      rescale),
    make("div", { className: "dl-bar" },
      slider("Shift of log SNR", kappa, (x) => set({ kappa: 2 ** x })),
      slider("Time t", { min: 0, max: 1, step: 0.005, value: state.t, say: (x) => x.toFixed(3) }, (t) => set({ t }))),
    told,
    make("div", { className: "dl-panels" }, ...views.map((one) => one.figure)),
  );
  onTheme(() => set({}));
  set({});
}

export default { render };
