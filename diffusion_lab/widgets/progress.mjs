// What was answered in this browser, as rows of the terminal's own log (diffusion_lab/quiz/records.py, loglines.py):
// an export from here is imported there with `diffusion-lab quiz import`, and the other way round.
//
// Without storage, or with a full one, the page works on and forgets.

const KEY = "diffusion-lab/log/1";
const HEADER = { format: "diffusion-lab-quiz-log", version: 1 };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
export const GRADES = { again: 1, hard: 2, good: 3 };

/** A review of now, as the terminal writes it. */
export function review(card, { rating, share }, milliseconds, now = new Date()) {
  const at = now.getTime();
  const offset = -now.getTimezoneOffset();
  const random = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return {
    kind: "review",
    uuid: [...random].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    at_ms: at,
    utc_offset_min: offset,
    study_day: Math.floor((at + offset * 60_000 - 4 * HOUR) / DAY),
    undone: 0,
    card_id: card,
    rating: GRADES[rating],
    score_json: JSON.stringify({ score: share }),
    confidence: null,
    dur_ms: Math.min(Math.round(milliseconds), 7 * DAY),
    mode: "book",
    session: null,
    params_hash: "book",
  };
}

/** Every row of this browser; nothing where storage is forbidden or holds something else. */
export function rows(storage = safe()) {
  try {
    const found = JSON.parse(storage?.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(sound) : [];
  } catch {
    return [];
  }
}

/** Add rows. Returns whether they could be kept. */
export function remember(added, storage = safe()) {
  try {
    storage.setItem(KEY, JSON.stringify([...rows(storage), ...added]));
    return true;
  } catch {
    return false;
  }
}

/** The grade of each card's newest review that was not taken back. */
export function latest(all = rows()) {
  const undone = new Set(all.filter((row) => row.kind === "undo").map((row) => row.uuid));
  const reviews = all.filter((row) => row.kind === "review" && !row.undone && !undone.has(row.uuid));
  reviews.sort((a, b) => a.at_ms - b.at_ms);
  return new Map(reviews.map((row) => [row.card_id, row.rating]));
}

/** The whole log as text, header first; what takes a row back stands at the end. */
export function exported(all = rows()) {
  const order = (row) => (row.kind === "undo" ? Infinity : row.at_ms);
  const sorted = [...all].sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
  return [HEADER, ...sorted].map((row) => JSON.stringify(row) + "\n").join("");
}

/** The rows of an exported log that are new here. Throws a sentence where it is none. */
export function imported(text, all = rows()) {
  const [first, ...lines] = text.replace(/^\ufeff/, "").split("\n");
  const header = object(first, 1);
  if (header.format !== HEADER.format) throw new Error("This file is no log of the quiz.");
  if (header.version !== HEADER.version) throw new Error(`The log has version ${header.version}; this page reads ${HEADER.version}.`);
  const identity = (row) => `${row.kind === "undo"} ${row.uuid}`;
  const known = new Set(all.map(identity));
  const added = [];
  lines.forEach((line, n) => {
    if (!line.trim()) return;
    const row = object(line, n + 2);
    if (!sound(row)) throw new Error(`Line ${n + 2} is no row of the log; nothing was imported.`);
    if (known.has(identity(row))) return;
    known.add(identity(row));
    added.push(row);
  });
  return added;
}

function object(line, number) {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    throw new Error(`Line ${number} cannot be read; nothing was imported.`);
  }
}

/** Whether a row has what this page needs of it; the terminal checks every field. */
function sound(row) {
  if (!/^[0-9a-f]{32}$/.test(row?.uuid ?? "") || typeof row.kind !== "string") return false;
  if (row.kind === "undo") return true;
  return Number.isInteger(row.at_ms) && (row.kind !== "review" || (typeof row.card_id === "string" && [1, 2, 3, 4].includes(row.rating)));
}

function safe() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // a browser that forbids storage throws where it is named
  }
}
