// Masked text: an order of unmasking and the tokens of a call; watch texts appear, and read the exact law that results.

import { button, choice, make, onTheme, picture, slider } from "./controls.mjs";
import { DASHES, INKS, paper, stamp } from "./charts.mjs";
import { CALLS, outcome, possible, written } from "./orders.mjs";
import { uniforms } from "./random.mjs";

const BOUNDED = "entropy bounded";
const NAMES = { confidence: "surest draw first" };
const named = (order) => NAMES[order] ?? order;
const MARKS = { random: "circle", "left to right": "square", confidence: "triangle", [BOUNDED]: "cross" };

/** A state as words. */
export const spoken = (law, state) => state.map((word, i) => (word === null ? "▢" : law.words[i][word])).join(" ");

/** The read-out of a law that came out. */
export function judged({ valid, variation, divergence, calls }) {
  const nats = Number.isFinite(divergence) ? `${Math.abs(divergence).toFixed(3)} nats` : "infinite: a sentence never comes";
  return `${calls.toFixed(2)} calls for a sentence; ${(100 * valid).toFixed(1)} % of texts are sentences; `
    + `total variation to the true law ${Math.abs(variation).toFixed(3)}; KL(true || drawn) ${nats}.`;
}

function paintCurves(context, width, height, color, { curves, order, found }) {
  const drawn = paper(context, { width, height, color, x: [0.5, 6.5], y: [0, 1.1], xTitle: "calls of the model" });
  Object.entries(curves).forEach(([name, points], k) => {
    if (name !== BOUNDED) drawn.line(points, { ink: INKS[k], dash: DASHES[k], thick: name === order ? 2.5 : 1 });
    for (const point of points) drawn.mark(...point, MARKS[name], INKS[k], 4);
    drawn.mark(3.6, 0.08 + 0.11 * k, MARKS[name], INKS[k], 4);
    drawn.text(named(name), 3.7, 0.08 + 0.11 * k);
  });
  drawn.mark(found.calls, found.valid, "ring", color);
}

function paintLaw(context, width, height, color, { law, found }) {
  const [left, high] = [205, height / law.sentences.length];
  const long = (p) => ((width - left - 10) * p) / Math.max(...law.weights, ...found.drawn);
  Object.assign(context, { font: "12px system-ui, sans-serif", textAlign: "right", textBaseline: "middle", lineWidth: 1.5 });
  law.sentences.forEach((sentence, n) => {
    const middle = high * (n + 0.5);
    Object.assign(context, { fillStyle: color, strokeStyle: color });
    context.fillText(spoken(law, sentence), left - 8, middle);
    context.strokeRect(left, middle - 5, long(law.weights[n]), 10);
    stamp(context, left + long(found.drawn[n]), middle, "circle", INKS[1], 4);
  });
}

/** The text call by call, its law, and all orders beside each other. */
export function render({ el, model }) {
  const [law, curves, perCall] = ["law", "curves", "perCall"].map((name) => model.get(name));
  const random = uniforms(7);
  const state = { order: "random", place: 1, gamma: 0.7 };
  const knob = () => (state.order === BOUNDED ? state.gamma : perCall[state.place]);
  const shown = () => ({ law, curves, ...state });
  const view = (caption, width, paint) => picture(caption, width, 230, (...canvas) => paint(...canvas, shown()));
  const orders = view("share of sentences against calls; ring: yours", 305, paintCurves);
  const bars = view("each sentence: true (bar), drawn (dot)", 320, paintLaw);
  const lines = make("ol", { start: 0 });
  lines.setAttribute("aria-label", "The text after every call");
  const [told, heard] = [make("output", { className: "dl-readout" }), make("output", { className: "dl-readout" })];
  for (const one of [told, heard]) one.setAttribute("aria-live", "polite");

  const slot = make("span");
  const some = { min: 0, max: perCall.length - 1, step: 1, value: state.place, say: (i) => String(perCall[i]) };
  const count = slider("Tokens a call", some, (place) => set({ place }));
  const nats = { min: 0, max: 3.5, step: 0.1, value: state.gamma, say: (x) => `${x.toFixed(1)} nats` };
  const budget = slider("Budget of a call", nats, (gamma) => set({ gamma }));

  function set(change) {
    Object.assign(state, change);
    state.found = outcome(law, state.order, knob());
    const used = state.order === BOUNDED ? budget : count;
    if (slot.firstChild !== used) slot.replaceChildren(used);
    told.textContent = `${named(state.order)}: ${judged(state.found)}`;
    begin();
    paint();
  }

  function paint() {
    orders.refresh(told.textContent);
    bars.refresh(told.textContent);
  }

  function begin() {
    state.text = written(law, state.order, knob(), random);
    state.call = 0;
    tell();
  }

  function tell() {
    const words = (at) => spoken(law, state.text[at]).split(" ").flatMap((word, i) => {
      const fresh = at > 0 && state.text[at][i] !== null && state.text[at - 1][i] === null;
      return [make(fresh ? "strong" : "span", { textContent: fresh ? `[${word}]` : word }), " "];
    });
    lines.replaceChildren(...state.text.slice(0, state.call + 1).map((_, at) => make("li", {}, ...words(at))));
    const now = state.text[state.call];
    const good = now.includes(null) ? "can become a sentence" : "a sentence";
    const verdict = possible(law, now) ? good : "not a sentence any more";
    heard.textContent = `After call ${state.call}: ${spoken(law, now)}: ${verdict}.`;
  }

  function next() {
    if (state.call === state.text.length - 1) return begin();
    state.call += 1;
    return tell();
  }

  const names = Object.fromEntries(Object.keys(CALLS).map((name) => [name, named(name)]));
  el.append(
    make("div", { className: "dl-bar" }, choice("Order", names, state.order, (order) => set({ order })), slot),
    make("div", { className: "dl-bar" }, button("Next call", next), button("New text", begin)),
    lines, heard,
    told,
    make("div", { className: "dl-panels" }, orders.figure, bars.figure),
  );
  onTheme(paint);
  set({});
}

export default { render };
