// What the live parts share: labelled controls, a canvas that is sharp on every screen, and the start inside a page.

let count = 0;

/** An element with properties and children. */
export function make(tag, props = {}, ...children) {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children);
  return element;
}

/** A control under its label, side by side; its `input` is what one listens to. */
function labelled(title, input) {
  count += 1;
  input.id = `dl-control-${count}`;
  input.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys away
  return make("span", { className: "dl-control" }, make("label", { htmlFor: input.id, textContent: title }), input);
}

/** A slider that says its value in words. `heard` is called with the number at every move. */
export function slider(title, { min, max, step, value, say = String }, heard) {
  const input = make("input", { type: "range", min, max, step });
  input.value = value;
  const told = make("output", { textContent: say(value) });
  const control = labelled(title, input);
  const tell = () => {
    told.textContent = say(Number(input.value));
    input.setAttribute("aria-valuetext", told.textContent);
  };
  tell();
  input.addEventListener("input", () => {
    tell();
    heard(Number(input.value));
  });
  control.append(told);
  return control;
}

/** One of several: {name: label}. `heard` is called with the name. */
export function choice(title, options, value, heard) {
  const input = make("select");
  for (const [name, label] of Object.entries(options)) input.append(make("option", { value: name, textContent: label }));
  input.value = value;
  input.addEventListener("change", () => heard(input.value));
  return labelled(title, input);
}

/** On or off. */
export function tick(title, value, heard) {
  const input = make("input", { type: "checkbox", checked: value });
  input.addEventListener("change", () => heard(input.checked));
  return labelled(title, input);
}

/** A number to type; what is no number, or out of range, is left to the browser to refuse. */
export function field(title, { min, max, step = "any", value }, heard) {
  const input = make("input", { type: "number", min, max, step });
  input.value = value;
  input.addEventListener("input", () => input.value !== "" && input.checkValidity() && heard(Number(input.value)));
  return labelled(title, input);
}

export function button(title, pressed) {
  const control = make("button", { type: "button", textContent: title });
  control.addEventListener("click", pressed);
  return control;
}

/** A canvas with a caption. `paint(context, width, height, color)` draws in CSS pixels, in the page's text colour. */
export function picture(caption, width, height, paint) {
  const view = make("canvas", { className: "dl-canvas" });
  view.setAttribute("role", "img");
  view.style.width = `${width}px`;
  view.style.aspectRatio = `${width} / ${height}`;
  const figure = make("figure", {}, view, make("figcaption", { textContent: caption }));
  figure.style.width = `${width}px`; // a long caption wraps
  const refresh = (label) => {
    view.setAttribute("aria-label", `${caption}: ${label}`);
    paint(sharp(view, width, height), width, height, getComputedStyle(view).color);
  };
  return { view, figure, refresh };
}

/** A cleared context whose unit is one CSS pixel. */
export function sharp(view, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (view.width !== Math.round(width * ratio)) {
    view.width = Math.round(width * ratio);
    view.height = Math.round(height * ratio);
  }
  const context = view.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Paint again when the page's theme changes. */
export function onTheme(paint) {
  const observer = new MutationObserver(paint);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
}

/** Whether the reader asked for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Start a part in its element, in place of the picture that readers without scripts see. */
export function mount(root, widget) {
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  root.replaceChildren();
  root.classList.add("dl-live");
  widget.render({ el: root, model: { get: (name) => data[name] } });
}
