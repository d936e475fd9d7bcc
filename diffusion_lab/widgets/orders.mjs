// Orders of unmasking with exact conditionals: what one call may do, and the law that comes out, by following every text
// that can still become a sentence. Held against diffusion_lab/text/unmask.py.
//
// A law is { words: [[...] per place], sentences: [[word's index per place]], weights }. A state is an array of indices,
// null where a token is hidden.

const hiddenOf = (state) => state.flatMap((word, i) => (word === null ? [i] : []));

/** Sentences that agree with all that shows, as weights; no sum is 1 yet. */
function fitting(law, state) {
  const shown = state.flatMap((word, i) => (word === null ? [] : [i]));
  return law.weights.map((w, n) => (shown.every((i) => law.sentences[n][i] === state[i]) ? w : 0));
}

/** Whether what shows can still become a sentence. */
export const possible = (law, state) => fitting(law, state).some((w) => w > 0);

/** p(word at i | what shows), one row per place: exact. Where no sentence fits, how often each word occurs at all. */
export function conditionals(law, state) {
  const kept = fitting(law, state);
  const weights = kept.some((w) => w > 0) ? kept : law.weights;
  const total = weights.reduce((sum, w) => sum + w, 0);
  return law.words.map((words, i) => {
    const row = new Array(words.length).fill(0);
    law.sentences.forEach((sentence, n) => (row[sentence[i]] += weights[n] / total));
    return row;
  });
}

/** -sum p log p, nats. */
export const entropy = (row) => row.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);

/** All words that the places may take, drawn independently: { tokens, p }. */
function draws(rows, places) {
  let found = [{ tokens: [], p: 1 }];
  for (const i of places) {
    const longer = ({ tokens, p }) => rows[i].flatMap((q, word) => (q > 0 ? [{ tokens: [...tokens, word], p: p * q }] : []));
    found = found.flatMap(longer);
  }
  return found;
}

/** All sets of `size` members. */
function subsets(members, size) {
  if (size === 0) return [[]];
  return members.flatMap((first, i) => subsets(members.slice(i + 1), size - 1).map((rest) => [first, ...rest]));
}

/** The `count` places that score highest; ties, up to rounding, go to the left. */
function best(places, score, count) {
  const ranked = places.map((i, at) => ({ i, score: score(i, at) - 1e-9 * i }));
  return ranked.sort((one, other) => other.score - one.score).slice(0, count).map(({ i }) => i);
}

/** As many of the surest places as keep (sum of entropies) - (largest) <= gamma, and at least one (Ben-Hamu et al. 2025). */
function bounded(rows, hidden, gamma) {
  const order = best(hidden, (i) => -entropy(rows[i]), hidden.length);
  const before = order.map((_, n) => order.slice(0, n).reduce((sum, i) => sum + entropy(rows[i]), 0));
  return order.filter((_, n) => n === 0 || before[n] <= gamma + 1e-9); // rising order: the last one is the largest
}

/** Each of some sets of places with the same probability, whatever is drawn. */
function alike(rows, sets) {
  return sets.flatMap((places) => draws(rows, places).map(({ tokens, p }) => ({ places, tokens, p: p / sets.length })));
}

/** What one call may do: (rows, hidden places, knob) -> [{ places, tokens, p }]. The knob is tokens a call, or gamma. */
export const CALLS = {
  random: (rows, hidden, n) => alike(rows, subsets(hidden, Math.min(n, hidden.length))),
  "left to right": (rows, hidden, n) => alike(rows, [hidden.slice(0, n)]),
  confidence: (rows, hidden, n) => draws(rows, hidden).map(({ tokens, p }) => {
    const places = best(hidden, (i, at) => Math.log(rows[i][tokens[at]]), n);
    return { places, tokens: places.map((i) => tokens[hidden.indexOf(i)]), p };
  }),
  "entropy bounded": (rows, hidden, gamma) => alike(rows, [bounded(rows, hidden, gamma)]),
};

export function filled(state, { places, tokens }) {
  const next = [...state];
  places.forEach((i, at) => (next[i] = tokens[at]));
  return next;
}

/** The law of the finished texts, exactly: every state that can still become a sentence, call after call. */
export function outcome(law, order, knob) {
  const length = law.words.length;
  let states = [{ state: new Array(length).fill(null), p: 1 }];
  const reached = new Map();
  let calls = 0; // of a text that ends as a sentence
  for (let made = 1; states.length; made++) {
    const next = new Map();
    for (const { state, p } of states) {
      for (const call of CALLS[order](conditionals(law, state), hiddenOf(state), knob)) {
        const after = filled(state, call);
        const key = after.join();
        if (!next.has(key)) next.set(key, { state: after, p: 0, alive: possible(law, after) });
        next.get(key).p += p * call.p;
      }
    }
    const alive = [...next].filter(([, one]) => one.alive);
    states = alive.map(([, one]) => one).filter(({ state }) => state.includes(null));
    for (const [key, { state, p }] of alive) {
      if (state.includes(null)) continue;
      reached.set(key, p + (reached.get(key) ?? 0));
      calls += made * p;
    }
  }
  return measured(law, law.sentences.map((sentence) => reached.get(sentence.join()) ?? 0), calls);
}

/** Share of sentences, total variation and KL(true || drawn), nats. Off the law both need no more than what is missing. */
export function measured(law, drawn, calls) {
  const valid = drawn.reduce((sum, q) => sum + q, 0);
  const variation = 1 - law.weights.reduce((sum, p, n) => sum + Math.min(p, drawn[n]), 0);
  const divergence = law.weights.reduce((sum, p, n) => (p > 0 ? sum + p * Math.log(p / drawn[n]) : sum), 0);
  return { drawn, valid, variation, divergence, calls: calls / valid };
}

/** One call, drawn with r ~ U(0, 1). */
export function drawnCall(law, state, order, knob, r) {
  const calls = CALLS[order](conditionals(law, state), hiddenOf(state), knob);
  let sum = 0;
  return calls.find(({ p }) => (sum += p) > r) ?? calls[calls.length - 1];
}

/** A whole text: its states after every call, from all masks. */
export function written(law, order, knob, random) {
  const states = [new Array(law.words.length).fill(null)];
  while (states[states.length - 1].includes(null)) {
    const state = states[states.length - 1];
    states.push(filled(state, drawnCall(law, state, order, knob, random())));
  }
  return states;
}
