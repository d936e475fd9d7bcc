"""What a sampler yields, and the grid of times that it walks."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from torch import Tensor

Times = Tensor | Iterable[float]


class Step(NamedTuple):
    """x at time t, and what the model saw in it (None for the last, clean step)."""

    t: float
    x: Tensor
    pred: Any = None


def final(steps: Iterable[Step]) -> Tensor:
    """The last x of a trajectory."""
    last = deque(steps, maxlen=1)
    if not last:
        raise ValueError("there are no steps to take the last of: was this generator used up before?")
    x: Tensor = last[0].x
    if x.is_floating_point() and not x.isfinite().all():
        raise ValueError(
            f"sampling ended in {int((~x.isfinite()).sum())} values that are not finite: "
            "look at the steps one by one, and start the grid at or below the denoiser's t_max."
        )
    return x


def falling(ts: Times, start: float = 1.0) -> Iterator[tuple[float, float]]:
    """Neighbours of a falling grid, as floats: a time on an accelerator would make it wait at every step."""
    grid = floats(ts)
    falls = len(grid) > 1 and all(t > s for t, s in pairwise(grid))
    if not (falls and grid[0] <= 1 and grid[-1] >= 0):
        raise ValueError(
            f"the time grid is {_brief(grid)}: give at least two times that fall from at most 1 to 0."
        )
    if grid[0] > start:
        raise ValueError(
            f"the time grid starts at {grid[0]:.6g}, where sigma / a has no useful value: "
            f"this sampler needs a start at or below the schedule's t_max = {start:.6g}."
        )
    return pairwise(grid)


def floats(ts: Times) -> list[float]:
    """Times as plain numbers."""
    return ts.tolist() if isinstance(ts, Tensor) else [float(t) for t in ts]


def _brief(grid: list[float]) -> str:
    shown = [f"{t:.4g}" for t in grid]
    return f"[{', '.join(shown if len(shown) < 8 else [*shown[:3], '...', *shown[-3:]])}]"
