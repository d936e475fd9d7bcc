// The serving calculator: steps x guidance x batch -> latency, memory, cost, each with its formula and the reader's numbers.
// Pure functions first, the same as diffusion_lab/widgets/serving.py; `render` needs a document.

import { choice, field, make, onTheme, picture } from "./controls.mjs";
import { INKS, paper } from "./charts.mjs";

/** T(r) = max(r F / (u C), W / B): what a pass of r rows takes, in seconds. */
export function passSeconds({ flops, utilisation, peak, parameters, bytes, bandwidth }, rows) {
  return Math.max((rows * flops) / (utilisation * peak), (parameters * bytes) / (1000 * bandwidth));
}

/** Everything that follows from a job. */
export function served(job) {
  const { steps, guided, batch, heun, activations, others, fixed, price, fill } = job;
  const evaluations = heun ? 2 * steps - 1 : steps;
  const weights = job.parameters * job.bytes;
  const [both, one] = [passSeconds(job, 2 * batch), passSeconds(job, batch)];
  const latency = evaluations * (guided * both + (1 - guided) * one) + batch * fixed;
  const rows = batch * (guided > 0 ? 2 : 1);
  const throughput = (fill * batch) / latency;
  return {
    evaluations, weights, both, one, latency, rows, throughput,
    passes: evaluations * (1 + guided),
    turningPoint: ((weights / (1000 * job.bandwidth)) * job.utilisation * job.peak) / job.flops,
    needed: weights + others + rows * activations,
    cost: (1000 * price) / 3600 / throughput,
  };
}

/** Up to four digits. */
export const short = (x) => (x >= 10000 ? String(Math.round(x)) : String(Number(x.toPrecision(x >= 1000 ? 4 : 3))));

/** Every result as [name, formula, the same with numbers, value with unit]. */
export function formulas(job) {
  const got = served(job);
  const s = (name) => short(job[name] ?? got[name]);
  const [speed, reading] = [`(${s("utilisation")} · ${s("peak")})`, `${s("weights")} / ${short(1000 * job.bandwidth)}`];
  const pass = (rows) => `max(${rows} · ${s("flops")} / ${speed}, ${reading})`;
  const calls = `(${s("guided")} · ${s("both")} + ${short(1 - job.guided)} · ${s("one")})`;
  return [
    ["evaluations K", job.heun ? "2 N − 1" : "N", job.heun ? `2 · ${s("steps")} − 1` : s("steps"), s("evaluations")],
    ["passes per image", "K · (1 + g)", `${s("evaluations")} · (1 + ${s("guided")})`, s("passes")],
    ["pass of b rows, T(b)", "max(b · F / (u · C), W / B)", pass(job.batch), `${short(1000 * got.one)} ms`],
    ["pass of 2 b rows, T(2b)", "max(2 b · F / (u · C), W / B)", pass(2 * job.batch), `${short(1000 * got.both)} ms`],
    ["latency of the batch", "K · (g · T(2b) + (1 − g) · T(b)) + b · T_fixed",
      `${s("evaluations")} · ${calls} + ${s("batch")} · ${s("fixed")}`,
      `${s("latency")} s`],
    ["memory", `W + W_others + ${job.guided > 0 ? "2 b" : "b"} · A`,
      `${s("weights")} + ${s("others")} + ${s("rows")} · ${s("activations")}`, `${s("needed")} GB`],
    ["images per second", "f · b / latency", `${s("fill")} · ${s("batch")} / ${s("latency")}`, s("throughput")],
    ["price of 1000 images", "1000 · price / 3600 / (images per second)",
      `1000 · ${s("price")} / 3600 / ${s("throughput")}`, s("cost")],
  ];
}

/** The read-out: what binds, and whether it fits. */
export function verdict(job) {
  const got = served(job);
  const room = got.needed <= job.memory ? `fits ${short(job.memory)} GB` : `does not fit: ${short(job.memory)} GB are there`;
  const turn = got.turningPoint <= 1 ? "arithmetic rules at any batch" : `arithmetic rules from ${short(got.turningPoint)} rows`;
  const bound = got.rows < got.turningPoint ? "reading the weights" : "arithmetic";
  return `Batch ${job.batch}: ${short(got.latency)} s, ${short(got.needed)} GB (${room}), ${short(got.cost)} for 1000 images. `
    + `The largest pass (${got.rows === 1 ? "1 row" : `${got.rows} rows`}) waits for ${bound}; ${turn}.`;
}

/** A typed text as a number of the job, or a sentence that says what was expected. */
export function checked(label, text, [low, high], whole, scale) {
  const value = Number(text) / scale;
  const fits = text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value));
  if (fits) return { value };
  const kind = whole ? "a whole number" : "a number";
  return { refusal: `${label}: give ${kind} from ${low * scale} to ${high * scale}, not ${text.trim() || "nothing"}.` };
}

const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128];

const GROUPS = {
  "The request": {
    steps: "N: steps", guided: "g: guided evaluations, %", batch: "b: batch", fill: "f: filled places of the batch, %",
  },
  "The network": {
    flops: "F: one pass for one image, TFLOP", parameters: "Parameters, billions", bytes: "Bytes per parameter",
    activations: "A: activations per row, GB", others: "W_others: text encoder and decoder, GB",
    fixed: "T_fixed: text and decoding per image, s",
  },
  "The device": {
    peak: "C: peak, TFLOP/s", utilisation: "u: share of the peak reached, %", bandwidth: "B: memory bandwidth, TB/s",
    memory: "Memory, GB", price: "Price per hour",
  },
};
const PERCENT = new Set(["guided", "utilisation", "fill"]);

/** One result against the batch: circles fit the memory, crosses do not. */
function paintBatches(context, width, height, color, job, name) {
  const points = BATCHES.map((batch) => ({ at: Math.log2(batch), got: served({ ...job, batch }) }));
  const here = [Math.log2(job.batch), served(job)[name]];
  const top = 1.15 * Math.max(...points.map(({ got }) => got[name]), here[1], 1e-9);
  const xTicks = BATCHES.map((batch, i) => [i, String(batch)]);
  const x = [-0.3, Math.max(7, here[0]) + 0.3];
  const drawn = paper(context, { width, height, color, x, y: [0, top], xTitle: "batch", xTicks });
  drawn.line(points.map(({ at, got }) => [at, got[name]]), { ink: INKS[0], thick: 1 });
  for (const { at, got } of points) drawn.mark(at, got[name], got.needed <= job.memory ? "circle" : "cross", INKS[0], 4);
  drawn.mark(...here, "ring", color);
}

/** Fields in three groups, results with their formulas, and two pictures. */
export function render({ el, model }) {
  const [limits, whole, presets] = ["limits", "whole", "presets"].map((name) => model.get(name));
  const job = { ...model.get("job") };
  const [fields, refusals] = [{}, {}];
  const wrong = make("p");
  wrong.setAttribute("role", "alert");
  const told = make("output", { className: "dl-readout" });
  told.setAttribute("aria-live", "polite");
  const results = make("ul");
  results.setAttribute("aria-label", "Results and their formulas");
  const view = (caption, name) => picture(caption, 305, 210, (...canvas) => paintBatches(...canvas, job, name));
  const views = [view("seconds of a batch; cross: no room; ring: yours", "latency"), view("price of 1000 images", "cost")];

  function paint() {
    told.textContent = verdict(job);
    results.replaceChildren(...formulas(job).map(([name, formula, numbers, value]) =>
      make("li", {}, make("strong", { textContent: `${name} = ${value}` }), ` = ${formula} = ${numbers}`)));
    for (const one of views) one.refresh(told.textContent);
  }

  function refuse(name, refusal) {
    fields[name].setAttribute("aria-invalid", String(refusal !== undefined));
    refusals[name] = refusal;
    const sentences = Object.values(refusals).filter(Boolean);
    wrong.textContent = sentences.concat(sentences.length ? "The results below keep the last good numbers." : []).join(" ");
  }

  function typed(name, label, input) {
    const { value, refusal } = checked(label, input.value, limits[name], whole.includes(name), PERCENT.has(name) ? 100 : 1);
    refuse(name, refusal);
    if (refusal) return;
    job[name] = value;
    if (name in Object.values(presets)[0]) network.querySelector("select").value = "own";
    paint();
  }

  function box(title, labels) {
    const bar = make("div", { className: "dl-bar" });
    for (const [name, label] of Object.entries(labels)) {
      const scale = PERCENT.has(name) ? 100 : 1;
      const [min, max] = limits[name].map((limit) => limit * scale);
      const control = field(label, { min, max, value: job[name] * scale }, () => {});
      fields[name] = control.querySelector("input");
      fields[name].style.width = "6rem";
      control.addEventListener("input", () => typed(name, label, fields[name])); // the field itself hears good numbers only
      bar.append(control);
    }
    const legend = make("legend", { textContent: title });
    legend.style.fontSize = "1em"; // themes make it a headline
    return make("fieldset", {}, legend, bar);
  }

  function choose(name) {
    for (const [key, value] of Object.entries(presets[name] ?? {})) {
      fields[key].value = job[key] = value;
      refuse(key, undefined);
    }
    paint();
  }

  const solvers = { one: "one evaluation a step", heun: "Heun: two, the last step one" };
  const names = Object.fromEntries(Object.keys(presets).map((name) => [name, name]));
  const network = choice("Network", { ...names, own: "my own numbers" }, model.get("preset"), choose);
  el.append(
    make("div", { className: "dl-bar" },
      network,
      choice("Solver", solvers, "one", (name) => {
        job.heun = name === "heun";
        paint();
      })),
    ...Object.entries(GROUPS).map(([title, labels]) => box(title, labels)),
    wrong, told, results,
    make("div", { className: "dl-panels" }, ...views.map((one) => one.figure)),
  );
  onTheme(paint);
  paint();
}

export default { render };
