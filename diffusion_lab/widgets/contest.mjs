// Five samplers on one exact denoiser: the same starting noise, the same number of calls, one truth.
//
// All of them start at k = sigma / a = K_MAX. In x / a and k every path has the same ODE, so its solution is the truth for
// the straight line as well.

import { energyDistance, ownDistance, rms } from "./energy.mjs";
import { GRIDS, SCHEDULES, timeAt } from "./process.mjs";
import { finished } from "./slices.mjs";
import { SOLVERS } from "./solvers.mjs";

const K_MIN = 0.02;
const K_MAX = 80;

/** Calls -> steps: Heun asks twice in every step but the last. */
const alone = (calls) => calls;
const twice = (calls) => (calls + 1) / 2;

export const RUNS = {
  ddpm: { label: "DDPM", solver: "ddpm", path: SCHEDULES.vp, steps: alone, random: true },
  ddim: { label: "DDIM", solver: "ddim", path: SCHEDULES.vp, steps: alone },
  dpmpp2m: { label: "DPM-Solver++(2M)", solver: "dpmpp2m", path: SCHEDULES.vp, steps: alone },
  heun: { label: "Heun", solver: "heun", path: SCHEDULES.vp, steps: twice },
  flow: { label: "flow, Euler", solver: "euler", path: SCHEDULES.flow, steps: alone },
};

/** Where the steps lie: (path, number) -> times from k = K_MAX to 0. */
export const SPACINGS = {
  logSnr: { label: "even in log SNR", times: (path, n) => GRIDS.logSnr(path, n, K_MIN, K_MAX) },
  karras: { label: "Karras, ρ = 7", times: (path, n) => GRIDS.karras(path, n, K_MIN, K_MAX) },
  uniform: { label: "even in the path's own t", times: (path, n) => GRIDS.uniform(path, n, timeAt(path, -2 * Math.log(K_MAX))) },
};

/** The ODE as good as solved: 200 steps of Heun. Ten times finer ones move its ends by less than 0.001. */
export const TRUTH = {
  label: "the ODE itself",
  calls: 399,
  solver: "heun",
  path: SCHEDULES.vp,
  times: () => GRIDS.logSnr(SCHEDULES.vp, 200, K_MIN / 10, K_MAX),
};

/** Steps of a run from noise (flat, standard normal); `calls` is odd, so that Heun's are as many as everybody's. */
export function walk({ solver, path, steps, times }, { law, noise, calls, spacing, draw }) {
  const grid = times ? times() : SPACINGS[spacing].times(path, steps(calls));
  const start = noise.map((value) => path.sigma(grid[0]) * value);
  return SOLVERS[solver]((x, t) => law.predict(x, t, path), path, grid, start, { draw });
}

/** Steps on a common footing: x / sqrt(a^2 + sigma^2), in which every path starts as N(0, I) and ends as data. */
export const footing = (steps, path) =>
  steps.map(({ t, x }) => {
    const norm = Math.hypot(path.a(t), path.sigma(t));
    return { t, x: x.map((value) => value / norm) };
  });

/** What the ends of a run say; `exact` are those of the ODE, for a run that has a path of its own. */
export const result = (name, calls, ends, exact, law) => ({
  name, calls, toOde: exact && rms(ends, exact), toLaw: energyDistance(ends, law),
});

/** Every run's ways and results, or null if `stale()` meanwhile; last, what draws of the law itself would show. */
export async function measured(asked, stale) {
  const { law, calls } = asked;
  const [ways, results] = [{}, []];
  let exact = null;
  for (const [key, run] of Object.entries({ exact: TRUTH, ...RUNS })) {
    const steps = [];
    const last = await finished(walk(run, asked), stale, (step) => steps.push(step));
    if (!last) return null;
    ways[key] = footing(steps, run.path);
    results.push(result(run.label, run.calls ?? calls, last.x, run.random ? null : exact, law));
    exact ??= last.x;
  }
  results.push(results.shift()); // the ODE itself comes below those that are held against it
  const draws = (2 * ownDistance(law)) / exact.length;
  return { ways, results: [...results, { name: "draws of the law, on average", calls: null, toOde: null, toLaw: draws }] };
}
