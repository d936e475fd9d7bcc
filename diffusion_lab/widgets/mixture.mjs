// Mixtures of round Gaussians, known exactly at every noise level: diffusion_lab/oracles.py for the page.
//
// Points are flat: x_1, y_1, x_2, y_2, ... for d = 2. With x_t = a x_0 + sigma eps every mode is N(a mean_k, v I), where
// v = a^2 std^2 + sigma^2.

/** weights (k) that sum to 1, means (k, d), one std, and a class label for each mode. */
export function mixture({ means, std, weights = means.map(() => 1 / means.length), labels = means.map((_, k) => k) }) {
  const d = means[0].length;
  const flat = Float64Array.from(means.flat());
  const at = (t, { a, sigma }) => ({ a: a(t), sigma: sigma(t), v: a(t) ** 2 * std ** 2 + sigma(t) ** 2 });

  /** p(mode k | x_t) of point i into `shares`; returns log p(x_t). */
  function weigh(x, i, { a, v }, shares) {
    let most = -Infinity;
    for (let k = 0; k < shares.length; k++) {
      let square = 0;
      for (let j = 0; j < d; j++) square += (x[i * d + j] - a * flat[k * d + j]) ** 2;
      shares[k] = Math.log(weights[k]) - square / (2 * v);
      most = Math.max(most, shares[k]);
    }
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += shares[k] = Math.exp(shares[k] - most);
    for (let k = 0; k < shares.length; k++) shares[k] /= sum;
    return most + Math.log(sum) - (d / 2) * Math.log(2 * Math.PI * v);
  }

  /** visit(i, shares, log p) for every point. */
  function each(x, level, visit) {
    const shares = new Float64Array(weights.length);
    for (let i = 0; i < x.length / d; i++) visit(i, shares, weigh(x, i, level, shares));
  }

  /** E[mean_k | x_t]: the middle of the modes that each point may have come from. */
  function centres(x, level) {
    const out = new Float64Array(x.length);
    each(x, level, (i, shares) => {
      for (let k = 0; k < shares.length; k++) {
        for (let j = 0; j < d; j++) out[i * d + j] += shares[k] * flat[k * d + j];
      }
    });
    return out;
  }

  return {
    d, std, means, weights, labels,

    /** p(x_t), one number per point. */
    density(x, t, schedule) {
      const out = new Float64Array(x.length / d);
      each(x, at(t, schedule), (i, shares, logP) => (out[i] = Math.exp(logP)));
      return out;
    },

    /** p(mode k | x_t), (points, k). */
    responsibilities(x, t, schedule) {
      const out = new Float64Array((x.length / d) * weights.length);
      each(x, at(t, schedule), (i, shares) => out.set(shares, i * weights.length));
      return out;
    },

    /** p(label | x_t), one number per point: the exact classifier of noisy points. */
    classProbability(x, t, schedule, label) {
      const out = new Float64Array(x.length / d);
      each(x, at(t, schedule), (i, shares) => {
        for (let k = 0; k < shares.length; k++) if (labels[k] === label) out[i] += shares[k];
      });
      return out;
    },

    /** grad log p(x_t). */
    score(x, t, schedule) {
      const level = at(t, schedule);
      return centres(x, level).map((centre, i) => (level.a * centre - x[i]) / level.v);
    },

    /** E[x_0 | x_t] and E[eps | x_t]. */
    predict(x, t, schedule) {
      const level = at(t, schedule);
      const middle = centres(x, level);
      const along = (weight) => (centre, i) => weight * (x[i] - level.a * centre);
      const eps = middle.map(along(level.sigma / level.v));
      const pull = along((level.a * std ** 2) / level.v);
      return { x0: middle.map((centre, i) => centre + pull(centre, i)), eps };
    },

    /** The law of one class. */
    given(label) {
      const own = means.map((_, k) => k).filter((k) => labels[k] === label);
      const total = own.reduce((sum, k) => sum + weights[k], 0);
      const pick = (values) => own.map((k) => values[k]);
      return mixture({ means: pick(means), std, weights: pick(weights).map((w) => w / total), labels: pick(labels) });
    },
  };
}
