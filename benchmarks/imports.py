"""What importing the package costs over a bare interpreter: python -m benchmarks.imports"""

import subprocess
import sys
from functools import partial

from .machine import interleaved, machine, table

CASES = {
    "python": "pass",
    "import diffusion_lab": "import diffusion_lab",
    "import diffusion_lab.cli": "import diffusion_lab.cli",
    "diffusion_lab.VP (loads torch)": "import diffusion_lab; diffusion_lab.VP",
}


def run(code: str) -> None:
    """One fresh interpreter."""
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Medians of interleaved whole processes."""
    print(machine(), "\n")
    seconds = interleaved({name: partial(run, code) for name, code in CASES.items()}, rounds=11, warmup=2)
    bare = seconds["python"]
    rows = [[name, f"{1e3 * s:.0f}", f"{1e3 * (s - bare):+.0f}"] for name, s in seconds.items()]
    print(table(["process", "ms", "over bare Python, ms"], rows))


if __name__ == "__main__":
    main()
