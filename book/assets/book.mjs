// Starts the live parts of a page, each from its own module, and only where the page has one.

const PARTS = {
  ".dl-scrubber": async (root) => (await import("./scrubber.mjs")).render(root),
  ".dl-card": async (root) => (await import("./quiz.mjs")).enliven(root),
  ".dl-bank": async (root) => (await import("./bank.mjs")).enliven(root),
  ".dl-anywidget": async (root) => {
    const [{ mount }, { default: widget }] = await Promise.all([import("./controls.mjs"), import(`./${root.dataset.module}`)]);
    mount(root, widget);
  },
};

for (const [selector, start] of Object.entries(PARTS)) {
  for (const root of document.querySelectorAll(selector)) start(root);
}

// A formula that is wider than its column scrolls, and then the keyboard has to reach it.
for (const wide of document.querySelectorAll(".dl-equation, pre, .dl-computed table")) {
  if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
}

// Buttons of the theme, whose handlers a strict policy does not let stand in the page.
const CLICKS = { full: () => window.toggleFullScreen(), print: () => window.print() };
for (const button of document.querySelectorAll("[data-click]")) {
  button.addEventListener("click", CLICKS[button.dataset.click]);
}
