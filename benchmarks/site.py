"""What the study site costs a reader, from real Chromium over every page.

python -m benchmarks.site                  build it first, timed, without executing notebooks
python -m benchmarks.site --site FOLDER    measure the one that was built there
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from diffusion_lab.book.anchors import cards
from diffusion_lab.book.browser import FLAGS, chromium
from diffusion_lab.book.equations import fault, tests
from diffusion_lab.book.links import broken
from diffusion_lab.setup.steps import ROOT

from . import site_lighthouse, site_live
from .machine import machine, table
from .site_pages import Seen, axe, visit
from .site_server import served

BARS = {"text": 250, "live": 700, "formulas": 300}  # KiB


def built(out: Path) -> tuple[Path, str]:
    """A fresh build, and how long it took."""
    start = time.monotonic()
    command = [sys.executable, "-m", "diffusion_lab.book.build", "--quick", "--out", str(out)]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        sys.exit("the site has faults: python3 lab.py book says which")
    return out / "_build/html", f"{time.monotonic() - start:.0f} s"


def weights(seen: list[Seen]) -> list[list[str]]:
    """The heaviest page of each class. Class `formulas` is the one page that sets most of them."""
    most = max(seen, key=lambda page: page.formulas)
    classes = {
        "text": [page for page in seen if not page.live and page is not most],
        "live": [page for page in seen if page.live and page is not most],
        "formulas": [most],
    }
    rows = []
    for kind, members in classes.items():
        for page in sorted(members, key=lambda page: -page.weight)[:1]:
            over = sum(one.weight > BARS[kind] * 1024 for one in members)
            told = f"{page.weight / 1024:.0f} KiB ({page.name}, {page.formulas} formulas)"
            told += f"; {over} of {len(members)} over" if over else ""
            rows.append([f"heaviest {kind} page, gzipped", f"<= {BARS[kind]} KiB", told])
    return rows


def equations(site: Path) -> list[str]:
    """The labels of numbered equations on all pages that no test evaluates."""
    names = tests(ROOT / "tests" / "book")
    labels = {label for file in site.rglob("*.html") for label in labels_of(file)}
    return [label for label in sorted(labels) if fault(label, names)]


def labels_of(file: Path) -> list[str]:
    parts = file.read_text(encoding="utf-8").split('id="equation-')[1:]
    return [part.partition('"')[0] for part in parts]


def faults(site: Path) -> list[list[str]]:
    """What must not be there at all."""
    without = [card.id for card in cards().cards.values() if not card.sources]
    return [
        ["broken links inside", "0", told(broken(site))],
        ["equations without a test", "0", told(equations(site))],
        ["cards without a source", "0", f"{told(without)} of {len(cards().cards)}"],
    ]


def told(found: Sequence[object]) -> str:
    """How many, and the first of them."""
    return f"{len(found)}: {found[0]} ..." if found else "0"


def visits(browser: object, address: str, names: list[str]) -> list[list[str]]:
    """One visit of every page: hosts, errors, weights, shifts of the layout, time that scripts block."""
    seen = [visit(browser, address, name) for name in names]
    others = [url for page in seen for url in page.others]
    errors = [(page.name, error) for page in seen for error in page.errors]
    shift, blocked = max(seen, key=lambda page: page.shift), max(seen, key=lambda page: page.blocked)
    return [
        ["requests to other hosts", "0", told(others)],
        ["errors in the console", "0", told(errors)],
        *weights(seen),
        ["largest shift of the layout (CLS)", "<= 0.05", f"{shift.shift:.3f} ({shift.name})"],
        ["longest blocking (TBT), no throttling", "<= 200 ms", f"{blocked.blocked:.0f} ms ({blocked.name})"],
    ]


def accessibility(
    browser: object, address: str, names: list[str], scheme: str, width: int
) -> list[list[str]]:
    """axe on all pages, in one scheme and on one screen."""
    found = axe(browser, address, names, scheme, width)
    return [[f"axe violations, {len(names)} pages, {scheme}, {width} px", "0", told(found)]]


def steps(site: Path, address: str, browser: object) -> Iterator[list[list[str]]]:
    """Rows of the table, as soon as they are measured."""
    names = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    yield [["pages", "", str(len(names))]]
    yield faults(site)
    yield visits(browser, address, names)
    yield site_live.rows(browser, address)
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            yield accessibility(browser, address, names, scheme, width)


def main(words: list[str]) -> None:
    """Print the table row by row: axe alone takes minutes."""
    print(machine() + "\n\n" + table(["what", "bar", "measured"], []), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        given = words[:1] == ["--site"]
        site, seconds = (Path(words[1]).resolve(), "not timed") if given else built(Path(folder))
        print(line(["build without executing notebooks", "<= 60 s", seconds]), flush=True)
        with served(site) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for rows in steps(site, address, browser):
                print("\n".join(line(row) for row in rows), flush=True)
            browser.close()
            if site_lighthouse.lighthouse():
                print("\n" + table(site_lighthouse.HEADER, site_lighthouse.rows(address)))
            else:
                print(f"\n{site_lighthouse.ADVICE}")


def line(row: list[str]) -> str:
    return "| " + " | ".join(row) + " |"


if __name__ == "__main__":
    main(sys.argv[1:])
