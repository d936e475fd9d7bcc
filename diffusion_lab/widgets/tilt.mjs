// Two classes on a line, known exactly: what guidance samples of the right one, and the tilted law p(x) p(c|x)^w beside it.
//
// The ODE is a rising map of the line, so its law needs no samples: follow the nodes of a grid and see how far apart they end.

import { mixture } from "./mixture.mjs";
import { GRIDS, SCHEDULES } from "./process.mjs";
import { normals } from "./random.mjs";
import { SOLVERS } from "./solvers.mjs";

const PATH = SCHEDULES.vp;
const TIMES = GRIDS.karras(PATH, 200);
const RIGHT = 1;
const NODES = Array.from({ length: 361 }, (_, i) => (i - 180) / 40);
const DRAWS = 3000;
const BIN = 0.1;
export const AXIS = Array.from({ length: 2001 }, (_, i) => (i - 1000) / 100);

/** Classes at -gap and gap, each N(mean, std^2) and as likely as the other. */
export const classes = ({ gap, std }) => mixture({ means: [[-gap], [gap]], std });

/** y_free + w (y_class - y_free) where low < t <= high, and the class alone elsewhere. */
export function guidedBy(law, { w, low = 0, high = 1 }) {
  const own = law.given(RIGHT);
  return (x, t) => {
    const strong = own.predict(x, t, PATH);
    if (w === 1 || t <= low || t > high) return strong;
    const weak = law.predict(x, t, PATH);
    const further = (name) => strong[name].map((value, i) => weak[name][i] + w * (value - weak[name][i]));
    return { x0: further("x0"), eps: further("eps") };
  };
}

/** Mean and standard deviation of masses at places. */
export function moments(places, masses) {
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const mean = places.reduce((sum, x, i) => sum + masses[i] * x, 0) / total;
  return { mean, std: Math.sqrt(places.reduce((sum, x, i) => sum + masses[i] * (x - mean) ** 2, 0) / total) };
}

/** p(x) p(c|x)^w on AXIS, normalised by quadrature; w = 1 is the law of the class. */
export function tilted(law, w) {
  const x = Float64Array.from(AXIS);
  const chance = law.classProbability(x, 0, PATH, RIGHT);
  const height = [...law.density(x, 0, PATH)].map((p, i) => p * chance[i] ** w);
  const mass = height.reduce((sum, p) => sum + p, 0) * (AXIS[1] - AXIS[0]);
  return { ...moments(AXIS, height), curve: AXIS.map((at, i) => [at, height[i] / mass]) };
}

const start = (noise) => Float64Array.from(noise, (z) => PATH.sigma(TIMES[0]) * z);

/** The ODE's steps from the nodes, by Heun. */
export const flowing = (predict) => SOLVERS.heun(predict, PATH, TIMES, start(NODES));

/** What the ODE makes of N(0, 1), from the ends of its nodes: mass between neighbours over their distance. */
export function carried(ends) {
  const masses = NODES.map((z) => Math.exp((-z * z) / 2));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const between = NODES.slice(1).map((_, i) => {
    const share = (masses[i] + masses[i + 1]) / 2 / total;
    return [(ends[i] + ends[i + 1]) / 2, share / Math.max(ends[i + 1] - ends[i], 1e-9)];
  });
  return { ...moments([...ends], masses), curve: between };
}

/** The reverse SDE's steps from DRAWS points, by ancestral sampling. */
export function wandering(predict, seed) {
  const draw = normals(seed);
  return SOLVERS.ddpm(predict, PATH, TIMES, start(Array.from({ length: DRAWS }, draw)), { draw });
}

/** Drawn points as a histogram in outline. */
export function counted(ends) {
  const bins = new Map();
  for (const x of ends) bins.set(Math.floor(x / BIN), (bins.get(Math.floor(x / BIN)) ?? 0) + 1);
  const [first, last] = [Math.min(...bins.keys()), Math.max(...bins.keys())];
  const curve = [[first * BIN, 0]];
  for (let bin = first; bin <= last; bin++) {
    const height = (bins.get(bin) ?? 0) / ends.length / BIN;
    curve.push([bin * BIN, height], [(bin + 1) * BIN, height]);
  }
  return { ...moments([...ends], [...ends].fill(1)), curve: [...curve, [(last + 1) * BIN, 0]] };
}
