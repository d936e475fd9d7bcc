"""What live parts cost in the built site: for each, its page, and what makes rows of the table from it."""

import statistics
from collections.abc import Callable
from typing import Any

from . import live

# One step of the slider after the other; the handler has drawn the frame when it returns.
STEPS = """async () => {
  const slider = document.querySelector(".dl-scrubber input[type=range]"), took = [];
  for (let i = 0; i < 101; i++) {
    slider.value = i % (Number(slider.max) + 1);
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    took.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  return took;
}"""


def scrubber(page: Any) -> list[list[str]]:
    """Milliseconds of script in one step of a scrubber."""
    page.locator(".dl-scrubber input[type=range]").first.wait_for()
    took = page.evaluate(STEPS)
    told = f"median {statistics.median(took):.2f} ms, longest {max(took):.2f} ms"
    return [["scrub step", "<= 16 ms", told]]


def sampler(page: Any) -> list[list[str]]:
    """The live sampler's own figures."""
    return [[f"{live.HEADER[0]}: {what}", bar, told] for what, bar, told in live.rows(page)]


LIVE: dict[str, Callable[[Any], list[list[str]]]] = {
    "book/forward.html": scrubber,
    "book/intro.html": sampler,
}


def rows(browser: Any, address: str) -> list[list[str]]:
    """All of them, each on a fresh page."""
    made = []
    for name, measure in LIVE.items():
        context = browser.new_context(reduced_motion="reduce")
        page = context.new_page()
        page.goto(address + name, wait_until="networkidle")
        made += measure(page)
        context.close()
    return made
