// Points of a canvas that can be moved: by pointer, or chosen by a number key and moved by the arrow keys.

import { pointed } from "./plane.mjs";

const CATCH = 0.35; // how near a press must be, in units of the plane
const STEP = 0.1;
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

/** The index of the nearest of the points, or -1 if none is within reach. */
export function caught([x, y], points) {
  const gaps = points.map(([u, v]) => Math.hypot(x - u, y - v));
  const least = Math.min(...gaps);
  return least <= CATCH ? gaps.indexOf(least) : -1;
}

/** Listen on a canvas: points() are all of them, chosen() the index of one; choose(k) and move([x, y]) are called. */
export function handles(view, { points, chosen, choose, move }) {
  view.tabIndex = 0;
  view.setAttribute("role", "application");
  view.setAttribute("aria-roledescription", "plane with points to move");
  view.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys away
  view.style.cursor = "grab";
  let dragged = false;
  view.addEventListener("keydown", (event) => {
    const [x, y] = points()[chosen()];
    if (event.key in ARROWS) move([x + ARROWS[event.key][0], y + ARROWS[event.key][1]]);
    else if (points()[Number(event.key) - 1]) choose(Number(event.key) - 1);
    else return;
    event.preventDefault();
  });
  view.addEventListener("pointerdown", (event) => {
    const k = caught(pointed(event, view), points());
    if (k < 0) return;
    view.setPointerCapture(event.pointerId);
    dragged = true;
    choose(k);
  });
  view.addEventListener("pointermove", (event) => dragged && move(pointed(event, view)));
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => (dragged = false));
  // A finger on a point moves it, a finger beside one scrolls the page
  const keep = (event) => caught(pointed(event.touches[0], view), points()) >= 0 && event.preventDefault();
  view.addEventListener("touchstart", keep, { passive: false });
}
