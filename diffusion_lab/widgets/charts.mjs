// Axes, lines and marks on a canvas: dashes and shapes tell curves apart, colours only help. `paper` draws in CSS pixels.

/** Colours that stand out on white and on black alike. */
export const INKS = ["#2f7fc1", "#d9730d", "#2e9e5b", "#a06cd5"];
export const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

const MARGIN = { left: 40, right: 10, top: 8, bottom: 34 };

/** From values to pixels; `x` and `y` are [low, high]. */
export function scales(width, height, x, y) {
  const [w, h] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  return {
    right: (value) => MARGIN.left + (w * (value - x[0])) / (x[1] - x[0]),
    down: (value) => MARGIN.top + h * (1 - (value - y[0]) / (y[1] - y[0])),
  };
}

/** Ticks at round numbers, about `count` of them: [value, text] pairs. */
export function ticks([low, high], count = 4) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let i = first; i * step <= high + 1e-9 * step; i++) found.push([i * step, String(Number((i * step).toPrecision(6)))]);
  return found;
}

/** Axes with their titles, and what draws inside them. */
export function paper(context, { width, height, color, x, y, ...named }) {
  const to = scales(width, height, x, y);
  Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: 1, font: "12px system-ui, sans-serif" });
  context.setLineDash([]);
  axes(context, height, to, { x, y, xTicks: ticks(x), yTicks: ticks(y), ...named });
  const inside = (slack, drawn) => {
    context.save();
    context.beginPath();
    const [w, h] = [to.right(x[1]) - to.right(x[0]), to.down(y[0]) - to.down(y[1])];
    context.rect(to.right(x[0]) - slack, to.down(y[1]) - slack, w + 2 * slack, h + 2 * slack);
    context.clip();
    drawn();
    context.restore();
  };
  return {
    /** A curve through [x, y] pairs; what is not finite interrupts it. */
    line(points, { ink = color, dash = [], thick = 2 } = {}) {
      inside(1, () => {
        Object.assign(context, { strokeStyle: ink, lineWidth: thick });
        context.setLineDash(dash);
        stroke(context, points.map(([px, py]) => [to.right(px), to.down(py)]));
      });
    },
    mark(px, py, shape = "circle", ink = color, size = 5) {
      inside(12, () => stamp(context, to.right(px), to.down(py), shape, ink, size));
    },
    /** Words to the right of a place. */
    text(words, px, py) {
      Object.assign(context, { fillStyle: color, textAlign: "left", textBaseline: "middle" });
      context.fillText(words, to.right(px) + 6, to.down(py));
    },
  };
}

function axes(context, height, { right, down }, { x, y, xTitle, yTitle = "", xTicks, yTicks }) {
  Object.assign(context, { textAlign: "center", textBaseline: "top" });
  for (const [value, text] of xTicks) {
    stroke(context, [[right(value), down(y[0])], [right(value), down(y[0]) + 4]]);
    context.fillText(text, right(value), down(y[0]) + 6);
  }
  context.fillText(xTitle, right((x[0] + x[1]) / 2), height - 14);
  Object.assign(context, { textAlign: "right", textBaseline: "middle" });
  for (const [value, text] of yTicks) {
    stroke(context, [[right(x[0]) - 4, down(value)], [right(x[0]), down(value)]]);
    context.fillText(text, right(x[0]) - 6, down(value));
  }
  stroke(context, [[right(x[0]), down(y[1])], [right(x[0]), down(y[0])], [right(x[1]), down(y[0])]]);
  context.textAlign = "left";
  context.fillText(yTitle, right(x[0]) + 5, down(y[1]) + 5);
}

/** A line through pixels; what is not finite interrupts it. */
function stroke(context, pixels) {
  context.beginPath();
  let open = false;
  for (const pixel of pixels) {
    const known = pixel.every(Number.isFinite);
    if (known) context[open ? "lineTo" : "moveTo"](...pixel);
    open = known;
  }
  context.stroke();
}

/** A mark of a shape of its own: "circle", "square", "triangle", "cross", or "ring" for what is chosen. */
export function stamp(context, x, y, shape, ink, size) {
  Object.assign(context, { fillStyle: ink, strokeStyle: ink, lineWidth: 2 });
  context.setLineDash([]);
  context.beginPath();
  STAMPS[shape](context, x, y, size);
  if (shape === "cross" || shape === "ring") context.stroke();
  else context.fill();
}

const STAMPS = {
  circle: (context, x, y, size) => context.arc(x, y, size, 0, 2 * Math.PI),
  ring: (context, x, y, size) => context.arc(x, y, size + 4, 0, 2 * Math.PI),
  square: (context, x, y, size) => context.rect(x - size, y - size, 2 * size, 2 * size),
  triangle(context, x, y, size) {
    context.moveTo(x, y - 1.2 * size);
    context.lineTo(x + 1.1 * size, y + 0.8 * size);
    context.lineTo(x - 1.1 * size, y + 0.8 * size);
  },
  cross(context, x, y, size) {
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x - size, y + size);
    context.lineTo(x + size, y - size);
  },
};
