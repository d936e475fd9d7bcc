"""Our UNet against diffusers' UNet2DModel: a training step and 20 steps of DDIM, at equal FLOPs, in one run.

    python -m benchmarks.networks [--device cpu|cuda] [--case digits16 digits32 cifar] [--quick]

Both programs compute one function (tests/test_models_parity.py), so parameters and FLOPs agree and speed
alone differs. Runs are interleaved, figures are medians. --quick compiles nothing. `cifar` is for a GPU.
OMP_NUM_THREADS limits the threads: no more than there are idle cores, or they wait for each other.
"""

import argparse
import sys
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from .devices import Run, finished, graphed, has_bf16
from .machine import interleaved, machine, table
from .unets import CASES, MAKES, SIDES, Case, How, Side, training


def plans(what: str, device: str, quick: bool) -> list[tuple[str, How]]:
    """What is compared. The first is the measure of the others; what may fail on some machine comes last."""
    bf16 = has_bf16(device)
    eager = How(bf16=bf16 and device == "cuda")
    best = How(bf16, channels_last=True, compiled=True, fused=MAKES[what] is training)
    rows = [("diffusers", eager), ("ours", eager), ("ours", replace(eager, channels_last=True))]
    if bf16 and device == "cpu":
        rows.append(("ours", How(bf16=True)))
    if not quick:
        rows += [("diffusers", best), ("ours", replace(eager, compiled=True)), ("ours", best)]
    if device == "cuda":
        rows.append(("ours", replace(best, compiled=not quick, graph=True)))
    return [(whose, how) for whose, how in rows if whose in SIDES]


def started(what: str, case: Case, device: str, quick: bool) -> dict[tuple[str, str], Run]:
    """Every plan that works here, warm. What does not is named, and left out."""
    torch.compiler.reset()  # a second size must not turn the first one's sizes into variables
    runs: dict[tuple[str, str], Run] = {}
    for whose, how in plans(what, device, quick):
        print(f"  warming up: {what}, {case.name}, {whose}, {how}", file=sys.stderr)
        try:
            run = MAKES[what](SIDES[whose], case, how, device)
            run = graphed(run) if how.graph else run
            finished(run, device, 2)()
            runs[whose, str(how)] = run
        except Exception as error:  # a compiler or a capture may fail on its machine; the rest is still news
            reason = str(error).strip().partition("\n")[0]
            print(f"\nNot measured: {whose}, {how}: {type(error).__name__}: {reason}")
    return runs


def report(what: str, case: Case, device: str, quick: bool) -> None:
    """One Markdown table: milliseconds, and how many times faster than the first row."""
    runs = started(what, case, device, quick)
    if not runs:
        sys.exit("Nothing could be measured; the reasons stand above.")
    many = 5 if device == "cuda" else 1  # a GPU's step is too short for one look at the clock
    parts = {name: finished(run, device, many) for name, run in runs.items()}
    seconds = interleaved(parts, rounds=5 if quick else 11, warmup=1)
    first = next(iter(seconds))
    body = [
        [whose, how, f"{1000 * s / many:.1f}", f"{seconds[first] / s:.2f}x"]
        for (whose, how), s in seconds.items()
    ]
    print(f"\n{what}: {case.name}, batch {case.batch}\n")
    print(table(["network", "with", "ms", f"faster than {', '.join(first)}"], body))


def forward_mflop(side: Side, case: Case) -> float:
    """Of one image, counted on the meta device."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        side.build(case)(torch.zeros(2, case.images, case.size, case.size), torch.zeros(2))
    return counter.get_total_flops() / 2e6


def check_flops(case: Case) -> None:
    """A race between equals, or none."""
    mflop = {whose: forward_mflop(side, case) for whose, side in SIDES.items()}
    counts = ", ".join(f"{whose} {count:.1f}" for whose, count in mflop.items())
    if max(mflop.values()) > 1.01 * min(mflop.values()):
        sys.exit(f"{case.name}: the networks differ by more than 1 % in forward MFLOP ({counts}).")
    print(f"\n{case.name}: forward MFLOP per image: {counts}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.networks", description="Our UNet against diffusers' UNet2DModel."
    )
    usual = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=["cpu", "cuda"], default=usual)
    parser.add_argument("--case", nargs="+", choices=CASES, default=["digits16", "digits32"])
    parser.add_argument("--quick", action="store_true", help="nothing compiled, fewer rounds")
    args = parser.parse_args()
    if args.device != usual and args.device == "cuda":
        print("There is no CUDA device here: running on the CPU.")
        args.device = "cpu"
    print(f"{machine()}, {torch.get_num_threads()} threads, running on {args.device}")
    if not has_bf16(args.device):
        print("This machine has no bfloat16 arithmetic: everything runs in float32.")
    if "diffusers" not in SIDES:
        print("diffusers is not installed: ours alone, measured against its own eager run.")
    for case in (CASES[name] for name in args.case):
        check_flops(case)
        for what in MAKES:
            report(what, case, args.device, args.quick)


if __name__ == "__main__":
    main()
