// A table of numbers, filled anew as they change: a name at the head of each row, columns that line up.

import { make } from "./controls.mjs";

/** A number with a true minus, and none on what rounds to zero. */
export function fixed(x, digits) {
  const text = x.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** `fill` takes rows of texts, the name first. */
export function ledger(caption, heads) {
  const body = make("tbody");
  const cell = (tag, text, props = {}) => {
    const one = make(tag, { textContent: text, ...props });
    const align = tag === "td" || props.scope === "col" ? "end" : "start";
    Object.assign(one.style, { textAlign: align, padding: "0.15rem 0.6rem 0.15rem 0" });
    return one;
  };
  const head = make("thead", {}, make("tr", {}, ...heads.map((text) => cell("th", text, { scope: "col" }))));
  head.rows[0].cells[0].style.textAlign = "start";
  const under = make("caption", { textContent: caption });
  Object.assign(under.style, { textAlign: "start", captionSide: "bottom" });
  const element = make("table", {}, under, head, body);
  Object.assign(element.style, { fontSize: "0.9em", fontVariantNumeric: "tabular-nums", margin: "0.4rem 0", width: "auto" });
  const fill = (rows) => {
    const line = ([name, ...texts]) => [cell("th", name, { scope: "row" }), ...texts.map((text) => cell("td", text))];
    body.replaceChildren(...rows.map((row) => make("tr", {}, ...line(row))));
  };
  return { element, fill };
}
