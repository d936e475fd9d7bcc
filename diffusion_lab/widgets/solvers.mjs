// Samplers as generators: diffusion_lab/samplers.py and solvers.py for the page.
//
// Each walks x along falling times and yields { t, x, x0 } before every step, x0 being what the model believes there;
// the last, clean x believes in itself. predict(x, t) -> { x0, eps }; x is a typed array of any length, never changed.

import { tMax } from "./process.mjs";

/** p x + q y. */
const mix = (p, x, q, y) => x.map((value, i) => p * value + q * y[i]);

const ratio = (schedule, t) => schedule.sigma(t) / schedule.a(t);
const half = (schedule, t) => Math.log(schedule.a(t) / schedule.sigma(t));

const pairs = (times) => times.slice(1).map((s, i) => [times[i], s]);

/** x_s = a_s x_0 + sqrt(sigma_s^2 - f^2) eps + f z (DDIM eq. 12): eta = 1 is DDPM, eta = 0 is DDIM. */
function* ddpm(predict, schedule, times, x, { eta = 1, draw }) {
  for (const [t, s] of pairs(times)) {
    const { x0, eps } = predict(x, t);
    yield { t, x, x0 };
    const sigma = schedule.sigma(s);
    const fresh = Math.sqrt(1 - ((schedule.a(t) * sigma) / (schedule.a(s) * schedule.sigma(t))) ** 2);
    const f = sigma * Math.min(1, eta * fresh);
    const mean = mix(schedule.a(s), x0, Math.sqrt(sigma ** 2 - f ** 2), eps);
    x = f === 0 ? mean : mean.map((value) => value + f * draw());
  }
  yield { t: times.at(-1), x, x0: x };
}

/** x_s = a_s x_0 + sigma_s eps (DDIM eq. 12 with eta = 0). */
function* ddim(predict, schedule, times, x) {
  for (const [t, s] of pairs(times)) {
    const { x0, eps } = predict(x, t);
    yield { t, x, x0 };
    x = mix(schedule.a(s), x0, schedule.sigma(s), eps);
  }
  yield { t: times.at(-1), x, x0: x };
}

/** x_s = x_t + (s - t) u, u = a' x_0 + sigma' eps: flow matching's own sampler. */
function* euler(predict, schedule, times, x) {
  for (const [t, s] of pairs(times)) {
    const { x0, eps } = predict(x, t);
    yield { t, x, x0 };
    x = mix(1, x, s - t, mix(schedule.dA(t), x0, schedule.dSigma(t), eps));
  }
  yield { t: times.at(-1), x, x0: x };
}

/** EDM algorithm 2 without churn, in x / a and k = sigma / a: a DDIM step, then the mean of the slopes at both ends. */
function* heun(predict, schedule, times, x) {
  if (times[0] > tMax(schedule)) {
    throw new RangeError(`the times start at ${times[0]}, where sigma / a has no useful value: start at ${tMax(schedule)}.`);
  }
  for (const [t, s] of pairs(times)) {
    const { x0, eps } = predict(x, t);
    yield { t, x, x0 };
    x = mix(schedule.a(s), x0, schedule.sigma(s), eps);
    if (s > 0) {
      const step = (schedule.a(s) * (ratio(schedule, s) - ratio(schedule, t))) / 2;
      const ahead = predict(x, s).eps;
      x = mix(1, x, step, mix(1, ahead, -1, eps));
    }
  }
  yield { t: times.at(-1), x, x0: x };
}

/** DPM-Solver++(2M): x_0 from the line through its last two values in log(a / sigma) (Lu et al. 2022b, algorithm 2). */
function* dpmpp2m(predict, schedule, times, x) {
  let past = null;
  for (const [t, s] of pairs(times)) {
    const { x0 } = predict(x, t);
    yield { t, x, x0 };
    let ahead = x0;
    if (past && s > 0) {
      const r = (half(schedule, s) - half(schedule, t)) / (half(schedule, t) - half(schedule, past.t)) / 2;
      ahead = mix(1 + r, x0, -r, past.x0);
    }
    const shrink = schedule.sigma(s) / schedule.sigma(t);
    x = mix(shrink, x, schedule.a(s) - schedule.a(t) * shrink, ahead);
    past = { t, x0 };
  }
  yield { t: times.at(-1), x, x0: x };
}

/** (predict, schedule, times, x, { eta, draw }); only ddpm reads the last: draw() is a standard normal number. */
export const SOLVERS = { ddpm, ddim, euler, heun, dpmpp2m };
