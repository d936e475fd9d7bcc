// Python's random.Random(text).random(): the number that moves a due day in the terminal (diffusion_lab/quiz/memory.py),
// so that a card comes back on the same day here and there. SHA-512 of the text (FIPS 180-4) seeds MT19937
// (Matsumoto and Nishimura 1998, init_by_array), as CPython's random.seed does with a text.

const WORD = (1n << 64n) - 1n;
const PRIMES = [];
for (let n = 2; PRIMES.length < 80; n += 1) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
const START = PRIMES.slice(0, 8).map((p) => fraction(p, 2n));
const ROUND = PRIMES.map((p) => fraction(p, 3n));

/** The first 64 bits behind the point of a root of p, by Newton's method on integers. */
function fraction(p, degree) {
  const wanted = BigInt(p) << (64n * degree);
  for (let root = 1n << 72n; ; ) {
    const next = ((degree - 1n) * root + wanted / root ** (degree - 1n)) / degree;
    if (next >= root) return root & WORD;
    root = next;
  }
}

const turned = (x, n) => ((x >> n) | (x << (64n - n))) & WORD;

/** SHA-512 of bytes, as 64 bytes. */
export function sha512(bytes) {
  const length = Math.ceil((bytes.length + 17) / 128) * 128;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 4, 8 * bytes.length);
  let state = START;
  for (let at = 0; at < length; at += 128) {
    const words = Array.from({ length: 16 }, (_, k) => view.getBigUint64(at + 8 * k));
    state = mixed(state, words).map((x, k) => (x + state[k]) & WORD);
  }
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((x, k) => digest.setBigUint64(8 * k, x));
  return new Uint8Array(digest.buffer);
}

function mixed(state, words) {
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 80; t += 1) {
    if (t > 15) {
      const [x, y] = [words[t - 15], words[t - 2]];
      const low = turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n);
      const high = turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n);
      words.push((words[t - 16] + low + words[t - 7] + high) & WORD);
    }
    const one = h + (turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n)) + ((e & f) ^ (~e & g)) + ROUND[t] + words[t];
    const two = (turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [a, b, c, d, e, f, g, h] = [(one + two) & WORD, a, b, c, (d + one) & WORD, e, f, g];
  }
  return [a, b, c, d, e, f, g, h];
}

const SIZE = 624;

/** The state of MT19937 after init_by_array(key). */
function seeded(key) {
  const mt = new Uint32Array(SIZE);
  mt[0] = 19650218;
  const past = (i) => mt[i - 1] ^ (mt[i - 1] >>> 30);
  for (let i = 1; i < SIZE; i += 1) mt[i] = Math.imul(1812433253, past(i)) + i;
  let i = 1;
  const step = () => {
    i += 1;
    if (i < SIZE) return;
    mt[0] = mt[SIZE - 1];
    i = 1;
  };
  for (let k = 0; k < Math.max(SIZE, key.length); k += 1, step()) {
    const j = k % key.length;
    mt[i] = (mt[i] ^ Math.imul(past(i), 1664525)) + key[j] + j;
  }
  for (let k = 0; k < SIZE - 1; k += 1, step()) mt[i] = (mt[i] ^ Math.imul(past(i), 1566083941)) - i;
  mt[0] = 0x80000000;
  return mt;
}

/** The k-th output of MT19937 for its first numbers, where no word has been renewed twice. */
function output(mt, k) {
  const y = (mt[k] & 0x80000000) | (mt[k + 1] & 0x7fffffff);
  let x = mt[k + 397] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  x ^= x >>> 11;
  x ^= (x << 7) & 0x9d2c5680;
  x ^= (x << 15) & 0xefc60000;
  return (x ^ (x >>> 18)) >>> 0;
}

/** The first random() of random.Random(text): 53 bits in [0, 1). */
export function drawn(text) {
  const bytes = new TextEncoder().encode(text);
  // One big integer, big-endian; its words of 32 bits from the last to the first.
  const whole = [...bytes, ...sha512(bytes)].reverse();
  const key = [];
  for (let k = 0; k < whole.length; k += 4) key.push(whole.slice(k, k + 4).reduce((sum, byte, n) => sum + byte * 256 ** n, 0));
  const mt = seeded(key);
  return ((output(mt, 0) >>> 5) * 67108864 + (output(mt, 1) >>> 6)) / 9007199254740992;
}
