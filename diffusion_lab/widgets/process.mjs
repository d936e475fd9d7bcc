// Noise schedules and grids of sampling times: diffusion_lab/schedules.py and grids.py for the page.
//
// t = 0 is data (a = 1, sigma = 0), t = 1 is noise, and k = sigma / a.

const BETA_MIN = 0.1;
const BETA_MAX = 20;
const COSINE_OFFSET = 0.008;
const TERMINAL_SNR = 4.04e-5; // of DDPM's own table: what counts as "noise" where a(1) is zero

const logA = (t) => -0.25 * t * t * (BETA_MAX - BETA_MIN) - 0.5 * t * BETA_MIN;
const phi0 = (COSINE_OFFSET / (1 + COSINE_OFFSET)) * (Math.PI / 2);
const turn = (t) => (t / (1 + COSINE_OFFSET)) * (Math.PI / 2);

/** a_t, sigma_t and their slopes in t. */
export const SCHEDULES = {
  vp: preserving({
    label: "variance preserving, linear β",
    a: (t) => Math.exp(logA(t)),
    sigma: (t) => Math.sqrt(-Math.expm1(2 * logA(t))),
    dA: (t) => -Math.exp(logA(t)) * (0.5 * t * (BETA_MAX - BETA_MIN) + 0.5 * BETA_MIN),
  }),
  cosine: preserving({
    label: "cosine",
    a: (t) => Math.cos(turn(t) + phi0) / Math.cos(phi0),
    // cos^2 A - cos^2 B = sin(B - A) sin(B + A) keeps the digits near t = 0 that 1 - a^2 loses
    sigma: (t) => Math.sqrt(Math.sin(turn(t)) * Math.sin(turn(t) + 2 * phi0)) / Math.cos(phi0),
    dA: (t) => (-Math.sin(turn(t) + phi0) / Math.cos(phi0)) * turn(1),
  }),
  flow: { label: "straight line (flow)", a: (t) => 1 - t, sigma: (t) => t, dA: () => -1, dSigma: () => 1 },
};

/** a^2 + sigma^2 = 1 gives the slope of sigma: sigma' = -a a' / sigma. */
function preserving(schedule) {
  return { ...schedule, dSigma: (t) => (-schedule.a(t) * schedule.dA(t)) / schedule.sigma(t) };
}

/** log SNR_t = 2 log(a_t / sigma_t). */
export const logSnr = (schedule, t) => 2 * (Math.log(schedule.a(t)) - Math.log(schedule.sigma(t)));

/** The t of a log SNR, by bisection: right for every falling schedule. */
export function timeAt(schedule, wanted) {
  let [lo, hi] = [0, 1];
  for (let halving = 0; halving < 60; halving++) {
    const mid = (lo + hi) / 2;
    if (logSnr(schedule, mid) > wanted) lo = mid;
    else hi = mid;
  }
  return (lo + hi) / 2;
}

/** Where to start if x_0 has to be read from eps, or k to be finite. */
export const tMax = (schedule) => (schedule.a(1) > 1e-3 ? 1 : timeAt(schedule, Math.log(TERMINAL_SNR)));

/** n + 1 falling times for n calls of the model, the last one exactly 0. */
export const GRIDS = {
  uniform: (schedule, n, start = 1) => Array.from({ length: n + 1 }, (_, i) => start * (1 - i / n)),
  logSnr: (schedule, n, kMin = 0.002, kMax = 80) => {
    const [high, low] = ends(schedule, kMin, kMax);
    return spaced(Math.log(high), Math.log(low), n).map((logK) => timeAt(schedule, -2 * logK)).concat(0);
  },
  karras: (schedule, n, kMin = 0.002, kMax = 80, rho = 7) => {
    const [high, low] = ends(schedule, kMin, kMax).map((k) => k ** (1 / rho));
    return spaced(high, low, n).map((root) => timeAt(schedule, -2 * rho * Math.log(root))).concat(0);
  },
};

/** The wished-for k, held within what the schedule reaches. */
function ends(schedule, kMin, kMax) {
  const k = (t) => Math.exp(-logSnr(schedule, t) / 2);
  return [Math.min(kMax, k(tMax(schedule))), Math.max(kMin, k(1e-9))];
}

function spaced(from, to, n) {
  return Array.from({ length: n }, (_, i) => (n === 1 ? from : from + ((to - from) * i) / (n - 1)));
}
