"""Lighthouse's scores of some pages, where Lighthouse is: `lighthouse` on the PATH, or the script that the
environment variable LIGHTHOUSE names.

python -m benchmarks.site_lighthouse FOLDER [page ...]
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from diffusion_lab.book.browser import chromium

from .machine import table
from .site_server import served

PAGES = ("book/intro.html", "book/forward.html", "book/grill.html", "book/latent.html")
SCREENS = {"mobile": [], "desktop": ["--preset=desktop"]}
ADVICE = (
    "Lighthouse was not found and not run: `npm install lighthouse` in some folder, and set LIGHTHOUSE to "
    "node_modules/lighthouse/cli/index.js there."
)
FLAGS = "--chrome-flags=--headless=new --no-sandbox --disable-gpu"


def lighthouse() -> list[str]:
    """Its command, or nothing."""
    if script := os.environ.get("LIGHTHOUSE"):
        return ["node", script] if script.endswith(".js") else [script]
    found = shutil.which("lighthouse")
    return [found] if found else []


def scores(url: str, options: list[str]) -> dict[str, float]:
    """One page: the four scores from 0 to 100, LCP in s, TBT in ms, CLS."""
    command = [*lighthouse(), url, "--quiet", "--output=json", FLAGS, *options]
    env = {**os.environ, "CHROME_PATH": chromium() or ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=env)
    report = json.loads(done.stdout)
    found = {name: 100 * (part["score"] or 0) for name, part in report["categories"].items()}
    audits = {name: report["audits"][name]["numericValue"] for name in NAMES}
    return {**found, **audits}


NAMES = {
    "largest-contentful-paint": "LCP s",
    "total-blocking-time": "TBT ms",
    "cumulative-layout-shift": "CLS",
}
HEADER = ["page", "screen", "performance", "accessibility", "best practices", "SEO", *NAMES.values()]


def rows(site: str, pages: tuple[str, ...] = PAGES) -> list[list[str]]:
    """Every page on both screens."""
    made = []
    for page in pages:
        for screen, options in SCREENS.items():
            found = scores(site + page, options)
            first = ["performance", "accessibility", "best-practices", "seo"]
            told = [f"{found[name]:.0f}" for name in first]
            lcp, tbt, cls = (found[name] for name in NAMES)
            made.append([page, screen, *told, f"{lcp / 1000:.1f}", f"{tbt:.0f}", f"{cls:.3f}"])
    return made


if __name__ == "__main__":
    if not lighthouse():
        sys.exit(ADVICE)
    with served(Path(sys.argv[1])) as site:
        print(table(HEADER, rows(site, tuple(sys.argv[2:]) or PAGES)))
