// The residual MLP of diffusion_lab/models/mlp.py in plain JavaScript. Arrays are flat, rows are examples.

/** W x + b for every row x. Four rows meet two rows of W at a time, so that a number once read is used often; where
 * fewer are left, the last one is done again. */
export function linear({ weight, bias }, x) {
  const [m, n] = weight.shape;
  const [w, shift] = [weight.values, bias.values];
  const rows = x.length / n;
  const out = new Float32Array(rows * m);
  for (let i = 0; i < rows; i += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => Math.min(i + k, rows - 1));
    for (let j = 0; j < m; j += 2) {
      const next = Math.min(j + 1, m - 1);
      let au = shift[j], bu = au, cu = au, du = au;
      let av = shift[next], bv = av, cv = av, dv = av;
      let [ka, kb, kc, kd, u, v] = [a * n, b * n, c * n, d * n, j * n, next * n];
      for (const end = u + n; u < end; u++, v++, ka++, kb++, kc++, kd++) {
        const wu = w[u], wv = w[v], xa = x[ka], xb = x[kb], xc = x[kc], xd = x[kd];
        au += xa * wu, bu += xb * wu, cu += xc * wu, du += xd * wu;
        av += xa * wv, bv += xb * wv, cv += xc * wv, dv += xd * wv;
      }
      out[a * m + j] = au, out[b * m + j] = bu, out[c * m + j] = cu, out[d * m + j] = du;
      out[a * m + next] = av, out[b * m + next] = bv, out[c * m + next] = cv, out[d * m + next] = dv;
    }
  }
  return out;
}

/** (x, t, labels) -> an array like x, for the weights of `Denoiser(MLP(...))`: one label for every row of x. */
export function mlp(read) {
  const layer = (name) => ({ weight: read[`net.${name}.weight`], bias: read[`net.${name}.bias`] });
  const [lift, mix, stem, norm, out] = ["embedding.lift", "embedding.mix", "stem", "norm", "out"].map(layer);
  const table = read["net.embedding.label.weight"];
  const blocks = [];
  for (let i = 0; `net.blocks.${i}.film.weight` in read; i++) {
    blocks.push(["film", "lift", "project"].map((name) => layer(`blocks.${i}.${name}`)));
  }

  /** One row per kind of label: what every block reads. */
  function embedded(t, kinds) {
    const time = linear(mix, silu(linear(lift, timeFeatures(t, lift.weight.shape[1]))));
    const width = time.length;
    const rows = new Float32Array(kinds.length * width);
    return silu(rows.map((_, i) => time[i % width] + table.values[kinds[Math.floor(i / width)] * width + (i % width)]));
  }

  return (x, t, labels) => {
    const kinds = [...new Set(labels)]; // rows of one class are modulated alike, so that is computed once
    const places = labels.map((label) => kinds.indexOf(label));
    const c = embedded(t, kinds);
    let h = linear(stem, x);
    const width = h.length / labels.length;
    for (const [film, rise, project] of blocks) {
      const inner = modulated(normed(h, width), linear(film, c), places, width);
      h = plus(h, linear(project, silu(linear(rise, inner))));
    }
    const scaled = normed(h, width).map((value, i) => value * norm.weight.values[i % width] + norm.bias.values[i % width]);
    return linear(out, silu(scaled));
  };
}

const silu = (h) => h.map((value) => value / (1 + Math.exp(-value)));
const plus = (x, y) => x.map((value, i) => value + y[i]);

/** cos(1000 t w_i), sin(1000 t w_i) with w_i = 10000^(-2i/n), i < n/2. */
export function timeFeatures(t, n) {
  const half = n / 2;
  const angle = (i) => 1000 * t * 10000 ** (-(i % half) / half);
  return Float32Array.from({ length: n }, (_, i) => (i < half ? Math.cos : Math.sin)(angle(i)));
}

/** Every row at mean 0 and variance 1. */
function normed(h, width) {
  const out = new Float32Array(h.length);
  for (let start = 0; start < h.length; start += width) {
    const row = h.subarray(start, start + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    const scale = 1 / Math.sqrt(variance + 1e-5);
    for (let i = 0; i < width; i++) out[start + i] = (row[i] - mean) * scale;
  }
  return out;
}

/** h (1 + scale) + shift, both read from the row of `film` that belongs to the row of h. */
function modulated(h, film, places, width) {
  return h.map((value, i) => {
    const at = 2 * width * places[Math.floor(i / width)] + (i % width);
    return value * (1 + film[at]) + film[at + width];
  });
}
