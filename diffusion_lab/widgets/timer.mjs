// A timer for an answer that is said out loud: it counts down, says when half a minute and ten seconds are left, and
// goes on counting what is over.

/** What is announced at a second, or "". */
export function announcement(left) {
  if (left === 0) return "Time is up.";
  return left === 30 || left === 10 ? `${left} seconds left.` : "";
}

/** Seconds left as text; what is over has a plus sign. */
export const shown = (left) => (left >= 0 ? `${left} s` : `+${-left} s`);

export function render({ el, model }) {
  const seconds = model.get("seconds") ?? 60;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Start" });
  const face = Object.assign(document.createElement("span"), { className: "dl-face", textContent: shown(seconds) });
  const voice = document.createElement("span");
  voice.className = "dl-voice";
  voice.setAttribute("role", "status");
  let timer = null;
  let begun = 0;
  let before = seconds;
  const tick = () => {
    const left = seconds - Math.floor((performance.now() - begun) / 1000);
    if (left === before) return;
    before = left;
    face.textContent = shown(left);
    voice.textContent = announcement(left) || voice.textContent;
  };
  button.addEventListener("click", () => {
    if (timer) {
      clearInterval(timer);
      timer = null;
      button.textContent = "Start again";
      return;
    }
    begun = performance.now();
    before = seconds;
    face.textContent = shown(seconds);
    voice.textContent = "";
    button.textContent = "Stop";
    timer = setInterval(tick, 200);
  });
  el.classList.add("dl-timer");
  el.append(button, face, voice);
}

export default { render };
