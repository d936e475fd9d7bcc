// The notation bridge: one noise level, one target, one guidance scale, each in everybody's letters. Type into any field
// and the others follow. Pure functions first; `render` needs a document.
//
// A level is kept as half log SNR, l = log(a / sigma): the one number that all conventions share.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const logit = (p) => Math.log(p) - Math.log1p(-p);

const OFFSET = 0.008;
const cosine = (t) => Math.cos(((t + OFFSET) / (1 + OFFSET)) * (Math.PI / 2));

/** a_t = cosine(t) / cosine(0), iDDPM eq. 17; the inverse of `cosineHalf`. */
function cosineTime(l) {
  const angle = Math.acos(cosine(0) * Math.sqrt(sigmoid(2 * l)));
  return ((1 + OFFSET) * 2 * angle) / Math.PI - OFFSET;
}

function cosineHalf(t) {
  return logit((cosine(t) / cosine(0)) ** 2) / 2;
}

/** Every way to write a noise level: a name, from l, to l, and where it is defined. */
export const LEVELS = {
  alphaBar: { label: "DDPM: ᾱ_t", from: (l) => sigmoid(2 * l), to: (x) => logit(x) / 2, low: 0, high: 1 },
  a: { label: "variance preserving: a_t", from: (l) => Math.sqrt(sigmoid(2 * l)), to: (x) => logit(x * x) / 2, low: 0, high: 1 },
  sigma: { label: "variance preserving: σ_t", from: (l) => Math.sqrt(sigmoid(-2 * l)), to: (x) => -logit(x * x) / 2, low: 0, high: 1 },
  edm: { label: "EDM: σ = σ_t / a_t", from: (l) => Math.exp(-l), to: (x) => -Math.log(x), low: 0, high: Infinity },
  cNoise: { label: "EDM: c_noise = ln(σ) / 4", from: (l) => -l / 4, to: (x) => -4 * x, low: -Infinity, high: Infinity },
  snr: { label: "SNR = a_t² / σ_t²", from: (l) => Math.exp(2 * l), to: (x) => Math.log(x) / 2, low: 0, high: Infinity },
  logSnr: { label: "log SNR (VDM's λ)", from: (l) => 2 * l, to: (x) => x / 2, low: -Infinity, high: Infinity },
  half: { label: "half log SNR (DPM-Solver's λ)", from: (l) => l, to: (x) => x, low: -Infinity, high: Infinity },
  flow: { label: "flow time here: t, data at 0", from: (l) => sigmoid(-l), to: (x) => -logit(x), low: 0, high: 1 },
  flowReversed: { label: "flow time in most papers: data at 1", from: (l) => sigmoid(l), to: (x) => logit(x), low: 0, high: 1 },
  cosine: { label: "cosine time of iDDPM, offset 0.008", from: cosineTime, to: cosineHalf, low: 0, high: 1 },
};

/** Every target as its coefficients of x_0 and eps on the variance-preserving path. */
export const TARGETS = {
  x0: { label: "x_0", pair: () => [1, 0] },
  eps: { label: "ε", pair: () => [0, 1] },
  v: { label: "v = a ε − σ x_0 (Salimans & Ho)", pair: (a, sigma) => [-sigma, a] },
  velocity: { label: "velocity u = ε − x_0 (flow, data at 0)", pair: () => [-1, 1] },
  velocityReversed: { label: "velocity x_0 − ε (flow, data at 1)", pair: () => [1, -1] },
  score: { label: "score = −ε / σ", pair: (a, sigma) => [0, -1 / sigma] },
};

/** Every way to write the guidance scale, from and to w: eps_null + w (eps_cond - eps_null). */
export const SCALES = {
  w: { label: "w: 1 is off (this book, Stable Diffusion)", from: (w) => w, to: (x) => x },
  g: { label: "g = w − 1: 0 is off (Ho & Salimans, LLaDA's cfg_scale)", from: (w) => w - 1, to: (x) => x + 1 },
};

/** Half log SNR of a typed value, or NaN where the value means nothing there. */
export function half(name, x) {
  const { to, low, high } = LEVELS[name];
  return x > low && x < high ? to(x) : NaN;
}

/** {x0, eps} of a prediction y = k_x x_0 + k_eps eps, given x_t = a x_0 + sigma eps: one 2x2 solve. */
export function decode(name, y, x, l) {
  const [a, sigma] = [LEVELS.a.from(l), LEVELS.sigma.from(l)];
  const [kx, keps] = TARGETS[name].pair(a, sigma);
  const det = a * keps - sigma * kx;
  return { x0: (keps * x - sigma * y) / det, eps: (a * y - kx * x) / det };
}

/** A target's value from x_0 and eps. */
export function encode(name, { x0, eps }, l) {
  const [kx, keps] = TARGETS[name].pair(LEVELS.a.from(l), LEVELS.sigma.from(l));
  return kx * x0 + keps * eps;
}

/** Six digits, without an empty tail. */
export const written = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(6))) : "");

let fields = 0;

/** Three groups of linked fields. */
export function render({ el }) {
  const state = { l: 0, x: 1, x0: 0.5, w: 7.5 };
  state.eps = (state.x - LEVELS.a.from(state.l) * state.x0) / LEVELS.sigma.from(state.l);
  const told = document.createElement("p");
  told.setAttribute("role", "status");
  const painters = [];
  const paint = (except) => {
    told.textContent = "";
    for (const refresh of painters) refresh(except);
  };
  const refuse = (input) => {
    told.textContent = `${input.value || "An empty field"} is no value of ${input.dataset.label}.`;
  };
  const add = (box, label, read, write) => {
    fields += 1;
    const input = Object.assign(document.createElement("input"), { type: "text", inputMode: "decimal", id: `dl-bridge-${fields}`, autocomplete: "off" });
    input.dataset.label = label;
    const name = Object.assign(document.createElement("label"), { htmlFor: input.id, textContent: label });
    input.addEventListener("input", () => (input.value.trim() && write(Number(input.value)) ? paint(input) : refuse(input)));
    input.addEventListener("change", () => paint());
    painters.push((except) => {
      if (input !== except) input.value = written(read());
    });
    box.append(name, input);
  };
  const group = (title) => {
    const box = document.createElement("fieldset");
    box.append(Object.assign(document.createElement("legend"), { textContent: title }));
    el.append(box);
    return box;
  };
  const set = (key, value) => {
    if (!Number.isFinite(value)) return false;
    state[key] = value;
    return true;
  };

  const levels = group("One noise level");
  for (const [name, { label, from }] of Object.entries(LEVELS)) {
    add(levels, label, () => from(state.l), (x) => set("l", half(name, x)) && resolve());
  }
  const targets = group("One prediction at that level, for one number x_t = a_t x_0 + σ_t ε");
  add(targets, "x_t", () => state.x, (x) => set("x", x) && resolve());
  for (const [name, { label }] of Object.entries(TARGETS)) {
    const write = (y) => Number.isFinite(y) && Boolean(Object.assign(state, decode(name, y, state.x, state.l)));
    add(targets, label, () => encode(name, state, state.l), write);
  }
  const scales = group("One guidance scale");
  for (const { label, from, to } of Object.values(SCALES)) add(scales, label, () => from(state.w), (x) => set("w", to(x)));

  /** Keep x_0 and x_t when the level moves; eps follows. */
  function resolve() {
    state.eps = (state.x - LEVELS.a.from(state.l) * state.x0) / LEVELS.sigma.from(state.l);
    return true;
  }
  el.classList.add("dl-bridge");
  el.append(told);
  paint();
}

export default { render };
