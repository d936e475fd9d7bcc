"""Quality against model calls, for every few-step method on the same data.

    python -m benchmarks.few_steps              # 7 core minutes; --data moons
    python -m benchmarks.few_steps --why        # consistency and MeanFlow with one choice changed

Sliced 2-Wasserstein distance of 10,000 samples to 10,000 fresh points. The floor is that distance between two
fresh sets, mean and standard deviation over eight pairs: differences below the latter say nothing, and the
few points that a one-step model leaves between two modes are hardly seen. The
teacher, from which reflow and progressive distillation start, is the shipped flow model; the others start
from nothing, consistency models and MeanFlow on a smaller network with slow waves of t.
"""

import argparse

import torch

from diffusion_lab.data import TOYS
from diffusion_lab.metrics.points import sliced_wasserstein
from diffusion_lab.samplers import final
from diffusion_lab.seeds import rng_at

from .few_step_methods import CALLS, METHODS, POINTS, WHY, Lesson, Method
from .machine import machine, table


def fresh(data: str, seed: int) -> torch.Tensor:
    """Points that no model has seen."""
    return TOYS[data](POINTS, rng_at("fresh", seed, 0))


def floor(data: str) -> str:
    """What two fresh sets are apart."""
    gaps = [sliced_wasserstein(fresh(data, 2 * i), fresh(data, 2 * i + 1)) for i in range(1, 9)]
    return f"{torch.tensor(gaps).mean():.3f} +- {torch.tensor(gaps).std():.3f}"


@torch.no_grad()
def row(data: str, name: str, method: Method) -> list[str]:
    """Distances of one method at all numbers of calls, its training steps and its seconds."""
    lesson = Lesson(data)
    with torch.enable_grad():
        walk = method(lesson)
    gaps = [sliced_wasserstein(fresh(data, 0), final(walk(n))) for n in CALLS]
    return [name, *[f"{gap:.3f}" for gap in gaps], f"{lesson.steps}", f"{lesson.seconds:.0f}"]


def main() -> None:
    """Print the chart, each row as it is ready, and all of it once more as a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="gauss8", choices=TOYS, help="a toy with a shipped model")
    parser.add_argument("--why", action="store_true", help="one choice changed, instead of all methods")
    asked = parser.parse_args()
    print(f"{machine()}, {torch.get_num_threads()} threads; {asked.data}, floor {floor(asked.data)}\n")
    rows = []
    for name, method in (WHY if asked.why else METHODS).items():
        rows.append(row(asked.data, name, method))
        print(*rows[-1], sep="  ", flush=True)
    print("\n" + table(["distance at model calls", *map(str, CALLS), "steps", "seconds"], rows))


if __name__ == "__main__":
    main()
