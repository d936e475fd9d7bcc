// The live sampler: a trained network draws sixteen digits in a worker of this page, as the controls say.
// Pure functions first; `render` needs a document. Data: see sampler.py.

import { button, choice, make, picture, slider, still } from "./controls.mjs";
import { errands, started } from "./errands.mjs";

const SIDE = 8; // pixels of a digit
const COLUMNS = 4; // and as many rows
const GAP = 4;
const VIEW = COLUMNS * SIDE * 8 + (COLUMNS + 1) * GAP; // CSS pixels of a panel
const SECONDS = 1.5; // from noise to digits

export const CLASSES = { each: "each in turn", ...Array.from("0123456789"), 10: "no class" };
export const SAMPLER_NAMES = { ddpm: "DDPM", ddim: "DDIM", dpmpp_2m: "DPM++ 2M", heun: "Heun", euler: "Euler" };

/** What was done, in numbers. */
export function told({ times, calls, milliseconds }, { sampler, eta, w, seed }) {
  const name = SAMPLER_NAMES[sampler] + (sampler === "ddim" ? ` with η = ${eta}` : "");
  const guidance = w === 1 ? "no guidance" : `guidance w = ${w}`;
  const work = `${calls} network calls in ${Math.round(milliseconds)} ms`;
  return `${name}, ${times.length - 1} steps, ${guidance}, seed ${seed}: ${work}.`;
}

/** Step i of a run. */
export function stepOf({ times, seen, believed }, i) {
  const size = seen.length / times.length;
  const [x, x0] = [seen, believed].map((bytes) => bytes.subarray(i * size, (i + 1) * size));
  return { t: times[i], seen: x, believed: x0 };
}

/** Grey levels as squares on a canvas. */
export function paintDigits(context, bytes) {
  const edge = (VIEW - (COLUMNS + 1) * GAP) / (COLUMNS * SIDE);
  const start = (n) => GAP + n * (SIDE * edge + GAP);
  bytes.forEach((grey, at) => {
    const digit = Math.floor(at / SIDE ** 2);
    const left = start(digit % COLUMNS) + (at % SIDE) * edge;
    const top = start(Math.floor(digit / COLUMNS)) + (Math.floor(at / SIDE) % SIDE) * edge;
    context.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
    context.fillRect(left, top, edge, edge);
  });
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** What moves the slider `at` other than the reader: to a step, or from noise to digits before one's eyes. */
function player(at) {
  let timer = null;
  const go = (i) => {
    at.value = i;
    at.dispatchEvent(new Event("input"));
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
  };
  const onward = () => {
    if (at.value === at.max || !at.isConnected) stop();
    go(Math.min(Number(at.value) + 1, at.max));
  };
  const play = () => {
    stop();
    if (still()) return go(at.max);
    timer = setInterval(onward, (1000 * SECONDS) / at.max);
    return go(0);
  };
  for (const touched of ["keydown", "pointerdown"]) at.addEventListener(touched, stop);
  return { go, stop, play, playing: () => timer !== null };
}

/** Two panels, a slider over the steps, and what the network is asked to do. */
export function render({ el, model }) {
  const { t, seen, believed, step } = model.get("first"); // drawn by the package: there until the reader asks for more
  const first = { t, seen: bytesOf(seen), believed: bytesOf(believed) };
  const network = { address: new URL(model.get("network"), import.meta.url).href, sha256: model.get("sha256") };
  const how = { ...model.get("how") };
  let [run, arrive] = [null, null];
  const ask = errands(() => started(model.get("worker")), heard);

  const current = () => (run ? stepOf(run, Number(at.value)) : first);
  const panels = [["x_t", "seen"], ["what the network believes x_0 is", "believed"]].map(([caption, name]) =>
    picture(caption, VIEW, VIEW, (context) => paintDigits(context, current()[name])),
  );
  const walk = slider("Step", { min: 0, max: how.steps, step: 1, value: step }, (i) => (run ? show() : want(() => go(i))));
  const at = walk.querySelector("input");
  const { go, stop, play, playing } = player(at);
  const readout = make("output", { className: "dl-readout", textContent: model.get("told") });
  readout.setAttribute("aria-live", "polite");

  function show() {
    for (const panel of panels) panel.refresh(`t = ${current().t.toFixed(2)}`);
    if (run && !playing()) readout.textContent = `Step ${at.value} of ${at.max}, t = ${current().t.toFixed(2)}. ${run.told}`;
  }

  /** To the same place in a walk that may have more steps or fewer; at first to its end. */
  function stay() {
    const share = run ? at.value / at.max : 1;
    return () => go(Math.round(share * at.max));
  }

  /** Have the digits drawn; `then` chooses the step to show. */
  function want(then) {
    arrive = then;
    if (!run) readout.textContent = "Fetching the network …";
    ask({ ...network, ...how });
  }

  function heard(answer, request) {
    if (answer.wrong) {
      readout.textContent = `${answer.wrong} The digits stay as they are.`;
      return;
    }
    run = { ...answer, told: told(answer, request) };
    at.max = answer.times.length - 1;
    arrive();
  }

  const set = (name) => (value) => {
    how[name] = value;
    eta.querySelector("input").disabled = how.sampler !== "ddim";
    const place = stay();
    stop();
    want(place);
  };
  const bar = (...controls) => make("div", { className: "dl-bar" }, ...controls);
  const eta = slider("η", { min: 0, max: 1, step: 0.1, value: how.eta }, set("eta"));
  eta.querySelector("input").disabled = how.sampler !== "ddim";
  el.append(
    make("div", { className: "dl-panels", style: "flex-wrap: nowrap" }, ...panels.map((panel) => panel.figure)),
    bar(button("Draw", () => want(play)), walk),
    bar(choice("Digit", CLASSES, how.label, set("label")), choice("Sampler", SAMPLER_NAMES, how.sampler, set("sampler")), eta),
    bar(
      slider("Steps", { min: 1, max: 60, step: 1, value: how.steps }, set("steps")),
      slider("Guidance w", { min: 0, max: 8, step: 0.5, value: how.w, say: (w) => (w === 1 ? "1 (off)" : String(w)) }, set("w")),
      slider("Seed", { min: 0, max: 99, step: 1, value: how.seed }, set("seed")),
    ),
    readout,
  );
  show();
}

export default { render };
