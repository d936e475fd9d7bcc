// Writes histories.json: 1000 random review histories and the memory states that ts-fsrs gives them.
// States only: its due days also keep Hard < Good < Easy at least a day apart, which py-fsrs does not.
// Run in an empty folder outside the repository:
//   npm install ts-fsrs@5.4.2 && cp .../tests/quiz/ts_fsrs/generate.mjs . && node generate.mjs > histories.json
import { createEmptyCard, fsrs, generatorParameters } from "ts-fsrs";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5);
const WEIGHTS = {
  default: [...generatorParameters().w],
  // Another learner: every weight moved by up to 20 %, inside the bounds.
  other: [
    0.25, 1.1, 2.7, 7.1, 6.0, 0.9, 2.6, 0.01, 1.6, 0.19, 0.9, 1.3, 0.07, 0.3, 1.4, 0.5, 1.6, 0.5, 0.1, 0.08, 0.2,
  ],
};

// mulberry32: small, seeded, the same on every machine.
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function scheduler(w) {
  return fsrs({ w, learning_steps: [], relearning_steps: [], enable_fuzz: false, enable_short_term: true });
}

// A gap of 0 days is a second look on the same study day. The hour is random: only the day may matter.
function history(random, schedule) {
  let card = createEmptyCard(new Date(START));
  let day = 0;
  let last = START;
  const reviews = [];
  const length = 1 + Math.floor(random() * 12);
  for (let i = 0; i < length; i++) {
    const gap = i === 0 || random() < 0.2 ? 0 : Math.ceil(Math.exp(random() * Math.log(400)));
    const rating = [1, 2, 3, 3, 3, 4][Math.floor(random() * 6)];
    day += gap;
    const from = gap === 0 ? last : START + day * DAY;
    last = from + Math.floor(random() * (START + (day + 1) * DAY - from));
    card = schedule.next(card, new Date(last), rating).card;
    reviews.push([gap, rating]);
  }
  const later = Math.ceil(random() * 60);
  // Recall, unlike review, counts periods of 24 h in ts-fsrs: ask at the hour of the last review.
  const recall = schedule.get_retrievability(card, new Date(last + later * DAY), false);
  return { reviews: reviews.flat(), end: [card.stability, card.difficulty, later, recall] };
}

const random = generator(20260105);
const sets = Object.entries(WEIGHTS).map(([name, w]) => {
  const schedule = scheduler(w);
  return { name, weights: w, histories: Array.from({ length: 500 }, () => history(random, schedule)) };
});
const lines = sets.map(
  ({ name, weights, histories }) =>
    `{"name": ${JSON.stringify(name)}, "weights": ${JSON.stringify(weights)}, "histories": [\n` +
    histories.map((h) => JSON.stringify(h)).join(",\n") +
    "\n]}",
);
console.log(`[\n${lines.join(",\n")}\n]`);
