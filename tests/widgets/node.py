"""Modules of the widgets, run by Node: what they compute is held against the package."""

import json
import subprocess

from diffusion_lab.book.frame import WIDGETS
from tests.book.skips import node_or_skip


def evaluated(script, **given):
    """What `script` hands to `tell(value)`, as JSON; it may import from `W`, the folder, and read `given`."""
    code = f"""
        const given = JSON.parse(await new Promise((done) => {{
          let text = ""; process.stdin.on("data", (part) => (text += part)).on("end", () => done(text));
        }}));
        const W = {json.dumps(WIDGETS.resolve().as_uri())};
        const tell = (value) => console.log(JSON.stringify(value));
        {script}
    """
    command = [node_or_skip(), "--input-type=module", "-e", code]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)
