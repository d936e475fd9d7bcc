"""Every live part as one script: what a notebook shows is what the book shows."""

import re
import subprocess

import pytest

from diffusion_lab.book.frame import WIDGETS
from diffusion_lab.widgets.modules import asset, bundled
from tests.book.skips import node_or_skip

PARTS = sorted(file.name for file in WIDGETS.glob("*.mjs") if "function render(" in file.read_text("utf-8"))


def test_a_module_comes_after_what_it_imports_and_once():
    text = bundled("controls.mjs", "scrubber.mjs")
    assert text.count("export function make(") == 1
    assert text.index("export function make(") < text.index("export function describe(")
    assert not re.search(r"^import|^export default", text, re.MULTILINE)
    assert asset("scrubber.mjs").rpartition("export default")[0][-500:] in text


@pytest.mark.parametrize("name", PARTS)
def test_the_modules_of_a_part_share_a_scope_without_a_clash(name):
    command = [node_or_skip(), "--check", "--input-type=module"]
    done = subprocess.run(
        command, input=bundled("controls.mjs", name), text=True, capture_output=True, timeout=60
    )
    assert not done.returncode, done.stderr
