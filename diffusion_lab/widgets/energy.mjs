// How far points lie from a mixture of round Gaussians in the plane, as laws: the energy distance (Szekely and Rizzo 2013),
// 2 E|X - Y| - E|X - X'| - E|Y - Y'|, with every expectation over the mixture in closed form.

/** E|p - Y| for Y ~ N(0, variance I) and |p|^2 = square: sqrt(variance pi / 2) 1F1(-1/2; 1; -y) with y = square / 2 variance. */
export function meanDistance(square, variance) {
  const y = square / (2 * variance);
  return Math.sqrt((variance * Math.PI) / 2) * (y < 30 ? series(y) : asymptote(y));
}

/** By Kummer, e^-y 1F1(3/2; 1; y): no term is negative, so no digit is lost. */
function series(y) {
  let [term, sum] = [1, 1];
  for (let k = 0; term > 1e-17 * sum; k++) sum += term *= ((k + 1.5) * y) / (k + 1) ** 2;
  return Math.exp(-y) * sum;
}

function asymptote(y) {
  let [term, sum] = [1, 1];
  for (let k = 0; k < 12; k++) sum += term *= (k - 0.5) ** 2 / ((k + 1) * y);
  return 2 * Math.sqrt(y / Math.PI) * sum;
}

/** E|Y - Y'| for two draws of the mixture. */
export function ownDistance({ means, weights, std }) {
  let sum = 0;
  means.forEach(([x, y], k) =>
    means.forEach((other, l) => {
      sum += weights[k] * weights[l] * meanDistance((x - other[0]) ** 2 + (y - other[1]) ** 2, 2 * std ** 2);
    }),
  );
  return sum;
}

/** Of flat points x_1, y_1, x_2, ... to the mixture; for n draws of the mixture itself it is ownDistance / n on average. */
export function energyDistance(x, law) {
  const n = x.length / 2;
  let [across, within] = [0, 0];
  for (let i = 0; i < x.length; i += 2) {
    law.means.forEach(([u, v], k) => {
      across += law.weights[k] * meanDistance((x[i] - u) ** 2 + (x[i + 1] - v) ** 2, law.std ** 2);
    });
    for (let j = 0; j < i; j += 2) within += Math.hypot(x[i] - x[j], x[i + 1] - x[j + 1]);
  }
  return (2 * across) / n - (2 * within) / n ** 2 - ownDistance(law);
}

/** Root of the mean squared distance between points of the same number. */
export function rms(x, y) {
  return Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0) / (x.length / 2));
}
