// Filters for the list of all cards: topic, level, kind, and what this browser has not answered yet.

import { exported, imported, latest, remember, rows as kept } from "./progress.mjs";

const NAMES = { level: { 1: "warm-up", 2: "standard", 3: "senior", 4: "staff" } };

/** Whether a row passes: every chosen value is its own. */
export const passes = (row, chosen) => Object.entries(chosen).every(([fact, value]) => !value || row[fact] === value);

/** Add the filters above a .dl-bank list. */
export function enliven(bank) {
  const rows = [...bank.querySelectorAll("li")];
  const seen = latest();
  for (const row of rows) row.dataset.state = seen.has(row.dataset.card) ? (seen.get(row.dataset.card) === 1 ? "missed" : "known") : "new";
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  const selects = ["topic", "level", "kind", "state"].map((fact) => chooser(fact, rows, update));
  const bar = document.createElement("div");
  bar.className = "dl-filters";
  bar.append(...selects.flatMap(({ label }) => label));
  bank.prepend(record(), bar, count);
  function update() {
    const chosen = Object.fromEntries(selects.map(({ fact, select }) => [fact, select.value]));
    for (const row of rows) row.hidden = !passes(row.dataset, chosen);
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} cards`;
  }
  update();
}

/** What this browser remembers, with export and import. */
function record() {
  const box = document.createElement("div");
  box.className = "dl-record";
  const told = document.createElement("p");
  told.setAttribute("role", "status");
  told.textContent = `${kept().length} answers are kept in this browser, and nowhere else.`;
  const save = Object.assign(document.createElement("button"), { type: "button", textContent: "Export" });
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([exported()], { type: "application/x-ndjson" }));
    Object.assign(document.createElement("a"), { href: url, download: "diffusion-lab-log.jsonl" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".jsonl,.txt" });
  const label = document.createElement("label");
  label.append("Import ", file);
  file.addEventListener("change", async () => {
    try {
      const added = imported(await file.files[0].text());
      told.textContent = remember(added) ? `${added.length} rows were new.` : "This browser has no room for them.";
    } catch (error) {
      told.textContent = error.message;
    }
  });
  box.append(told, save, label);
  return box;
}

/** A labelled choice among the values that the rows have. */
function chooser(fact, rows, update) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  const values = [...new Set(rows.map((row) => row.dataset[fact]))].sort();
  select.append(new Option("all", ""), ...values.map((value) => new Option(NAMES[fact]?.[value] ?? value, value)));
  select.addEventListener("change", update);
  label.append(`${fact} `, select);
  return { fact, select, label };
}
