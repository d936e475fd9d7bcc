// Cards of a page come alive: answer, check, reveal, tick the points. Without this script they read as they stand.
//
// What the person did is kept in the browser's own storage (progress.mjs). Nothing is sent anywhere.

import { MARKERS, rating } from "./marking.mjs";
import { remember, review } from "./progress.mjs";

let count = 0;

/** Make one .dl-card answerable. */
export function enliven(card) {
  const marking = JSON.parse(card.querySelector(".dl-marking").textContent);
  const reveal = card.querySelector(".dl-reveal");
  const verdict = make("p", { className: "dl-verdict" });
  verdict.setAttribute("role", "status");
  let begun = performance.now();
  card.addEventListener("focusin", () => (begun = performance.now()), { once: true });
  const settle = (result) => {
    const taken = performance.now() - begun;
    const grade = rating(result, taken / 1000 > Number(card.dataset.time));
    card.dataset.result = result.right ? "right" : "wrong";
    const kept = remember([review(card.dataset.card, { rating: grade, share: result.share }, taken)]);
    if (!kept) verdict.append(" (This browser keeps no record.)");
  };
  const ask = ASKED[marking.kind](card, marking);
  const ticks = reveal.querySelector(".dl-points") && (marking.kind === "open" || (marking.kind === "bug" && !marking.options.length));
  if (ask) {
    const form = make("form", { className: "dl-form" }, ...ask.parts, make("button", { type: "submit", textContent: "Check" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const result = MARKERS[marking.kind](marking, ask.given());
      show(verdict, result, reveal);
      if (!result.understood) return;
      reveal.open = true;
      settle(result);
    });
    card.querySelector(".dl-does").replaceWith(form, verdict);
  }
  if (ticks && !ask) card.querySelector(".dl-does").after(tickable(card, marking, reveal, verdict, settle), verdict);
}

/** The verdict in words; a named slip is shown with its own sentence from the answer. */
function show(verdict, result, reveal) {
  verdict.replaceChildren();
  verdict.dataset.right = result.understood ? String(result.right) : "unread";
  const sentence = reveal.querySelector(`[data-slip="${result.slip}"]`);
  verdict.append(result.verdict || "Not the answer. ");
  if (result.slip >= 0 && sentence) for (const node of sentence.cloneNode(true).childNodes) verdict.append(node.cloneNode(true));
}

function make(tag, props = {}, ...children) {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children);
  return element;
}

/** A labelled input. */
function field(label, props) {
  count += 1;
  const input = make("input", { id: `dl-field-${count}`, autocomplete: "off", ...props });
  return { input, parts: [make("label", { htmlFor: input.id, textContent: label }), input] };
}

/** The options of a card as radio buttons or check boxes. */
function options(card, type, legend) {
  count += 1;
  const list = card.querySelector(".dl-options");
  const group = `dl-group-${count}`;
  const inputs = [...list.children].map((item, place) => {
    const input = make("input", { type, name: group, value: place });
    const label = make("label", {}, input, ...item.childNodes);
    item.append(label);
    return input;
  });
  const fieldset = make("fieldset", {}, make("legend", { textContent: legend }));
  list.replaceWith(fieldset);
  fieldset.append(list);
  return { fieldset, picks: () => inputs.flatMap((input, place) => (input.checked ? [place] : [])) };
}

function chosen(card) {
  const { fieldset, picks } = options(card, "radio", "One is right.");
  return { parts: [fieldset], given: picks };
}

function several(card) {
  const { fieldset, picks } = options(card, "checkbox", "Any number may be right.");
  return { parts: [fieldset], given: picks };
}

/** Steps that move by buttons. */
function ordered(card) {
  const list = card.querySelector(".dl-options");
  [...list.children].forEach((item, place) => {
    item.dataset.place = place;
    const text = item.textContent.trim();
    const move = (sign, name, step) => {
      const button = make("button", { type: "button", textContent: sign });
      button.setAttribute("aria-label", `Move ${name}: ${text}`);
      button.addEventListener("click", () => {
        step(item);
        button.focus();
      });
      return button;
    };
    item.prepend(
      make("span", { className: "dl-moves" },
        move("↑", "up", () => item.previousElementSibling?.before(item)),
        move("↓", "down", () => item.nextElementSibling?.after(item))),
    );
  });
  return { parts: [list], given: () => [...list.children].map((item) => Number(item.dataset.place)) };
}

function typed(label, mode) {
  return () => {
    const { input, parts } = field(label, { type: "text", inputMode: mode, spellcheck: false });
    return { parts, given: () => input.value };
  };
}

function filled(card, { gaps }) {
  const fields = gaps.map((_, k) => field(`Gap ${k + 1}`, { type: "text" }));
  return { parts: fields.flatMap((one) => one.parts), given: () => fields.map((one) => one.input.value) };
}

function buggy(card, marking) {
  if (!marking.options.length) return null;
  const line = field("Faulty line", { type: "number", min: 1 });
  const { fieldset, picks } = options(card, "radio", "Why?");
  return { parts: [...line.parts, fieldset], given: () => ({ line: Number(line.input.value), reason: picks() }) };
}

const ASKED = {
  choice: chosen,
  many: several,
  order: ordered,
  numeric: typed("Your number", "text"),
  formula: typed("Your formula, such as sqrt(abar_t) x0", "text"),
  cloze: filled,
  bug: buggy,
  open: () => null,
};

/** Open cards: say it, reveal, tick what you said. Returns the note that stands above. */
function tickable(card, marking, reveal, verdict, settle) {
  const boxes = [...reveal.querySelectorAll(".dl-points > li")].map((item) => {
    const box = make("input", { type: "checkbox" });
    item.append(make("label", {}, box, ...item.childNodes));
    return box;
  });
  const line = marking.lines?.[0] ?? 0;
  const button = make("button", { type: "button", textContent: "Mark what I ticked" });
  button.addEventListener("click", () => {
    const ticks = boxes.map((box) => box.checked);
    const given = marking.kind === "bug" ? { line, reason: ticks } : ticks;
    const result = MARKERS[marking.kind](marking, given);
    show(verdict, result, reveal);
    settle(result);
  });
  reveal.querySelector(".dl-points").after(button);
  return make("p", { className: "dl-note", textContent: "Then show the answer and tick what you said." });
}
