// A slider over the timesteps of x_t, drawn in the browser from frames that travel with the page.
//
// One file for JupyterLab, Colab, the published book and Node: no dependency, no request, no kernel. `parse`,
// `frameAt` and `describe` are pure; `render` needs a document. Data: see scrubber.py.

import { make, onTheme, sharp } from "./controls.mjs";

const FADED_AFTER = 12; // steps of a trail
const NAMES = { forward: "forward: data to noise", reverse: "reverse: noise to data" };

/** JSON with base64 frames -> the same with Uint8Array frames. */
export function parse(text) {
  const data = JSON.parse(text);
  for (const track of data.tracks) {
    track.seen = split(track.frames, track.t.length);
    track.believed = track.beliefs ? split(track.beliefs, track.t.length) : null;
  }
  return data;
}

/** One entry per frame: bytes of a base64 text, or lines of text as they are. */
function split(frames, count) {
  if (Array.isArray(frames)) return frames;
  const bytes = decode(frames);
  const size = bytes.length / count;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function decode(base64) {
  const binary = atob(base64);
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** Frame i of x_t, or of what the model believes x_0 to be. */
export function frameAt(track, i, believed = false) {
  return (believed ? track.believed : track.seen)[i];
}

/** The read-out of frame i, as a screen reader says it. */
export function describe(track, i, kind) {
  const number = (x, digits) => (x === null ? "infinite" : x.toFixed(digits));
  const at = `step ${i} of ${track.t.length - 1}: t = ${number(track.t[i], 3)}`;
  if (kind === "text") return `${at}, a token is still clean with probability ${number(track.a[i], 3)}`;
  const path = `a = ${number(track.a[i], 3)}, sigma = ${number(track.sigma[i], 3)}`;
  const snr = track.log_snr[i];
  const text = snr === null ? (track.sigma[i] === 0 ? "infinite (clean)" : "minus infinite (pure noise)") : number(snr, 2);
  return `${at}, log SNR = ${text}, ${path}`;
}

/** Draw one frame into a canvas context of the given side, in CSS pixels. */
export function draw(context, data, frame, side, color, trail = []) {
  context.strokeStyle = context.fillStyle = color;
  DRAW[data.kind](context, data, frame, side, trail);
}

const DRAW = { points: drawPoints, images: drawImages, paths: drawPaths };

const toPixel = (byte, side) => (byte / 255) * side;

function drawPoints(context, data, frame, side, trail) {
  context.globalAlpha = 0.6;
  for (let i = 0; i < frame.length; i += 2) {
    context.fillRect(toPixel(frame[i], side) - 1, side - toPixel(frame[i + 1], side) - 1, 2.5, 2.5);
  }
  context.lineWidth = 1.5;
  for (const path of trail) drawTrail(context, path.map(([x, y]) => [toPixel(x, side), side - toPixel(y, side)]));
  context.globalAlpha = 1;
}

/** Where a point is and has been. Older steps are fainter: the walk of a random sampler would bury the points. */
function drawTrail(context, path) {
  for (let k = 1; k < path.length; k++) {
    context.globalAlpha = Math.max(0.2, 1 - (path.length - 1 - k) / FADED_AFTER);
    context.beginPath();
    context.moveTo(...path[k - 1]);
    context.lineTo(...path[k]);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(...path[path.length - 1], 5, 0, 2 * Math.PI);
  context.stroke();
}

function drawImages(context, data, frame, side) {
  const { width, height, columns } = data;
  const count = frame.length / (width * height);
  const rows = Math.ceil(count / columns);
  const pixels = context.createImageData(columns * (width + 1) - 1, rows * (height + 1) - 1);
  pixels.data.fill(128);
  for (let n = 0; n < count; n++) {
    const left = (n % columns) * (width + 1);
    const top = Math.floor(n / columns) * (height + 1);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const grey = frame[(n * height + y) * width + x];
        const at = 4 * ((top + y) * pixels.width + left + x);
        pixels.data[at] = pixels.data[at + 1] = pixels.data[at + 2] = grey;
      }
    }
  }
  for (let at = 3; at < pixels.data.length; at += 4) pixels.data[at] = 255;
  const sheet = new OffscreenCanvas(pixels.width, pixels.height);
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = false;
  const scale = Math.min(side / pixels.width, side / pixels.height);
  context.drawImage(sheet, 0, 0, pixels.width * scale, pixels.height * scale);
}

function drawPaths(context, data, frame, side) {
  const line = (xy) => {
    context.beginPath();
    for (let k = 0; k < xy.length; k += 2) context.lineTo(toPixel(xy[k], side), side - toPixel(xy[k + 1], side));
    context.stroke();
  };
  context.lineWidth = 1;
  context.setLineDash([6, 4]);
  for (const known of data.scene) line(known);
  context.setLineDash([]);
  context.globalAlpha = 0.5;
  context.lineWidth = 1.5;
  const size = 2 * data.points;
  for (let k = 0; k < frame.length; k += size) line(frame.subarray(k, k + size));
  context.globalAlpha = 1;
}

/** Where a few points have been up to frame i. */
export function trails(data, track, i) {
  if (data.kind !== "points") return [];
  return data.followed.map((n) => {
    const path = [];
    for (let k = 0; k <= i; k++) path.push([...frameAt(track, k).subarray(2 * n, 2 * n + 2)]);
    return path;
  });
}

/** Build the widget inside `root`, whose script element holds the data; the picture for readers without scripts goes. */
export function render(root) {
  const data = parse(root.querySelector("script[type='application/json']").textContent);
  const id = root.id;
  const state = { track: data.tracks[0], i: 0, timer: null };

  const panels = data.tracks.some((track) => track.believed) ? ["x_t", "what the model believes x_0 is"] : ["x_t"];
  const views = panels.map((label) => {
    const view = data.kind === "text" ? make("pre", { className: "dl-text" }) : make("canvas", { className: "dl-canvas" });
    if (data.kind !== "text") {
      view.setAttribute("role", "img");
      view.style.width = `${data.side}px`;
    }
    return { label, view, figure: make("figure", {}, view, make("figcaption", { textContent: label })) };
  });
  const slider = make("input", { type: "range", min: 0, step: 1, id: `${id}-slider` });
  slider.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys away
  const label = make("label", { htmlFor: slider.id, textContent: "Step" });
  const play = make("button", { type: "button", textContent: "Play" });
  const choice = make("select", { id: `${id}-track` });
  choice.dataset.lmSuppressShortcuts = "true";
  for (const track of data.tracks) choice.append(make("option", { textContent: NAMES[track.name] ?? track.name }));
  const chooser = make("label", { htmlFor: choice.id, textContent: data.choice });
  const readout = make("output", { className: "dl-readout" });
  readout.setAttribute("aria-live", "polite");
  const bar = make("div", { className: "dl-bar" }, play, label, slider);
  if (data.tracks.length > 1) bar.prepend(chooser, choice);

  function paint() {
    const text = describe(state.track, state.i, data.kind);
    views.forEach(({ label, view, figure }, k) => {
      figure.hidden = k === 1 && !state.track.believed;
      if (figure.hidden) return;
      const frame = frameAt(state.track, state.i, k === 1);
      view.setAttribute("aria-label", `${data.title}, ${label}, ${text}`);
      if (data.kind === "text") view.textContent = frame.join("\n");
      else paintCanvas(view, frame, k === 0 ? trails(data, state.track, state.i) : []);
    });
    readout.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  }

  function paintCanvas(canvas, frame, trail) {
    const context = sharp(canvas, data.side, data.side);
    draw(context, data, frame, data.side, getComputedStyle(root).color, trail);
  }

  function show(i) {
    state.i = i;
    slider.value = i;
    paint();
  }

  function choose(track) {
    state.track = track;
    slider.max = track.t.length - 1;
    show(0);
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (state.timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return show((state.i + 1) % state.track.t.length);
    if (state.i === state.track.t.length - 1) show(0);
    play.textContent = "Pause";
    state.timer = setInterval(() => {
      show(state.i + 1);
      if (state.i === state.track.t.length - 1 || !root.isConnected) stop();
    }, 60);
  });
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  choice.addEventListener("change", () => {
    stop();
    choose(data.tracks[choice.selectedIndex]);
  });

  root.querySelector(".dl-still")?.remove();
  root.append(make("div", { className: "dl-panels" }, ...views.map((v) => v.figure)), bar, readout);
  onTheme(paint);
  choose(state.track);
}

export default { render: ({ el }) => render(el) };
