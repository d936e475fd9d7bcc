// From a network to digits: guidance, solver and grid put together, as diffusion_lab/generate.py does.

import { GRIDS, SCHEDULES, tMax } from "./process.mjs";
import { normals } from "./random.mjs";
import { SOLVERS } from "./solvers.mjs";

/** The path that the network was trained on, with velocity as its target; the size of an image; how many are drawn. */
const PATH = SCHEDULES.flow;
const PIXELS = 64;
const COUNT = 16;
/** The label for "no class". */
export const NONE = 10;

/** The package's name of a sampler -> its solver, and what is settled for it: DDPM is DDIM with eta = 1. */
export const WALKS = {
  ddpm: { solver: SOLVERS.ddpm, eta: 1 },
  ddim: { solver: SOLVERS.ddpm },
  dpmpp_2m: { solver: SOLVERS.dpmpp2m },
  heun: { solver: SOLVERS.heun, start: tMax(PATH) },
  euler: { solver: SOLVERS.euler },
};

/** What a seed means: the noise to start from, and all that is drawn later. `label` is a class, NONE or "each". */
export function drawn(network, { seed, label, ...how }) {
  const draw = normals(seed);
  const labels = Array.from({ length: COUNT }, (_, i) => (label === "each" ? i % NONE : Number(label)));
  const noise = Float32Array.from({ length: COUNT * PIXELS }, draw);
  const { walk, calls } = sampled(network, noise, { labels, draw, ...how });
  return {
    times: walk.map(({ t }) => t),
    seen: shades(walk.map(({ x }) => x)),
    believed: shades(walk.map(({ x0 }) => x0)),
    calls,
  };
}

/** Every step from noise to digits, and how often the network was called: twice at a time where w is not 1. */
export function sampled(network, noise, { sampler, steps, w, labels, ...knobs }) {
  const { solver, start = 1, ...settled } = WALKS[sampler];
  let calls = 0;
  const predict = (x, t) => {
    calls += w === 1 ? 1 : 2;
    return decoded(guided(network, x, t, labels, w), x, t);
  };
  const x = noise.map((value) => PATH.sigma(start) * value);
  const walk = [...solver(predict, PATH, GRIDS.uniform(PATH, steps, start), x, { ...knobs, ...settled })];
  return { walk, calls };
}

/** y_none + w (y_label - y_none): both answers come from one pass over twice the rows. */
export function guided(network, x, t, labels, w) {
  if (w === 1) return network(x, t, labels);
  const twice = new Float32Array(2 * x.length);
  twice.set(x);
  twice.set(x, x.length);
  const y = network(twice, t, [...labels, ...labels.map(() => NONE)]);
  return x.map((_, i) => w * y[i] + (1 - w) * y[x.length + i]);
}

/** x_0 and eps of a velocity y = a' x_0 + sigma' eps, seen together with x = a x_0 + sigma eps. */
export function decoded(y, x, t) {
  const [a, sigma, dA, dSigma] = [PATH.a(t), PATH.sigma(t), PATH.dA(t), PATH.dSigma(t)];
  const det = a * dSigma - sigma * dA;
  const solved = (p, q) => x.map((value, i) => (p * value + q * y[i]) / det);
  return { x0: solved(dSigma, -sigma), eps: solved(-dA, a) };
}

/** Values from -1 to 1 as grey levels, one array after another. */
function shades(arrays) {
  const out = new Uint8ClampedArray(arrays.length * arrays[0].length);
  arrays.forEach((values, k) => out.set(values.map((value) => 127.5 * (value + 1)), k * values.length));
  return out;
}
