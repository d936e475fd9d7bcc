// Long work in slices, so that the page answers while it goes on.

const SLICE = 12; // milliseconds: less than a frame

const pause = () => new Promise((resume) => setTimeout(resume));

/** The last thing that a generator yields, or null as soon as `stale()` says that nobody wants it; `visit` sees each. */
export async function finished(values, stale, visit = () => {}) {
  let last = null;
  let begun = performance.now();
  for (const value of values) {
    visit((last = value));
    if (performance.now() - begun < SLICE) continue;
    await pause();
    if (stale()) return null;
    begun = performance.now();
  }
  await pause();
  return stale() ? null : last;
}
