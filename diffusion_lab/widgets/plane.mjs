// A square window on the plane: arrows, rings, dots and paths, in the pixels of a canvas.

const LIMIT = 2.6; // half the side of the window, as in the package's plots
const INK = "#2f7fc1"; // of points: stands out on white and on black

/** Drawing on a canvas of the given side; points are flat: x_1, y_1, x_2, ... */
export function plane(context, side, color) {
  const scale = side / (2 * LIMIT);
  const right = (x) => (x + LIMIT) * scale;
  const down = (y) => (LIMIT - y) * scale;
  Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: 1, font: "bold 13px system-ui, sans-serif" });
  const stroke = (path) => {
    context.beginPath();
    path();
    context.stroke();
  };
  return {
    ring([x, y], radius, dash = []) {
      context.setLineDash(dash);
      stroke(() => context.arc(right(x), down(y), radius * scale, 0, 2 * Math.PI));
      context.setLineDash([]);
    },
    /** A handle to take hold of; the chosen one is filled. */
    handle([x, y], name, chosen) {
      context.beginPath();
      context.arc(right(x), down(y), 11, 0, 2 * Math.PI);
      context.save();
      if (!chosen) context.globalCompositeOperation = "destination-out";
      context.fill();
      context.restore();
      context.lineWidth = chosen ? 3 : 1.5;
      context.stroke();
      Object.assign(context, { textAlign: "center", textBaseline: "middle" });
      context.save();
      if (chosen) context.globalCompositeOperation = "destination-out";
      context.fillText(name, right(x), down(y) + 1);
      context.restore();
    },
    arrow([x, y], [u, v]) {
      const [fromX, fromY, toX, toY] = [right(x), down(y), right(x + u), down(y + v)];
      const angle = Math.atan2(toY - fromY, toX - fromX);
      const barb = Math.min(4, Math.hypot(toX - fromX, toY - fromY) / 2);
      stroke(() => {
        context.moveTo(fromX, fromY);
        context.lineTo(toX, toY);
        for (const turn of [2.6, -2.6]) {
          context.moveTo(toX, toY);
          context.lineTo(toX + barb * Math.cos(angle + turn), toY + barb * Math.sin(angle + turn));
        }
      });
    },
    dots(points, size = 2, alpha = 0.6) {
      Object.assign(context, { globalAlpha: alpha, fillStyle: INK });
      for (let i = 0; i < points.length; i += 2) {
        context.fillRect(right(points[i]) - size / 2, down(points[i + 1]) - size / 2, size, size);
      }
      Object.assign(context, { globalAlpha: 1, fillStyle: color });
    },
    /** The way of point `n` through frames of points. */
    path(frames, n, alpha = 0.4) {
      context.globalAlpha = alpha;
      stroke(() => {
        for (const points of frames) context.lineTo(right(points[2 * n]), down(points[2 * n + 1]));
      });
      context.globalAlpha = 1;
    },
  };
}

/** The point of the window under a pointer on the element. */
export function pointed(event, element) {
  const box = element.getBoundingClientRect();
  const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [(2 * share[0] - 1) * LIMIT, (1 - 2 * share[1]) * LIMIT];
}
