"""The serving calculator: steps x guidance x batch -> latency, memory and cost, from one's own numbers.

Serving(steps=25, batch=4).latency      # seconds, of the whole batch
serving_calculator()                    # the live part
"""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMITS: dict[str, tuple[float, float]] = {
    "steps": (1, 10_000),
    "guided": (0, 1),
    "batch": (1, 4096),
    "flops": (1e-9, 1e6),
    "parameters": (1e-6, 1e5),
    "bytes": (0.125, 8),
    "activations": (0, 1e4),
    "others": (0, 1e4),
    "fixed": (0, 3600),
    "peak": (1e-3, 1e6),
    "utilisation": (0.001, 1),
    "bandwidth": (1e-4, 1e3),
    "memory": (0.1, 1e5),
    "price": (0, 1e4),
    "fill": (0.01, 1),
}
"""From and to, both allowed."""

WHOLE = ("steps", "batch")

PRESETS = {
    "DiT-XL/2, 256 pixels": {"flops": 0.237, "parameters": 0.675},
    "Stable Diffusion 1.5, 512 pixels": {"flops": 0.803, "parameters": 0.8595},
    "SDXL, 1024 pixels": {"flops": 6.761, "parameters": 2.567},
    "one token, 8 billion parameters": {"flops": 0.016, "parameters": 8.0},
}
"""One pass of the denoiser for one image, TFLOP with two operations to a multiply-add, and billions of
parameters: both counted on the networks themselves, by tests/widgets/test_serving.py. The last is a language
model's next token, two operations to a parameter."""

FIRST = "SDXL, 1024 pixels"


@dataclass(frozen=True)
class Serving:
    """A request, a network and a device. Of the device all numbers are round and nobody's: put in your own.

    steps; guided: share of the evaluations with guidance; batch; heun: two evaluations a step, one in the
    last. flops: TFLOP of one pass for one image; parameters: billions; bytes per parameter; activations: GB
    per row of a pass; others: GB of further weights; fixed: seconds of text and decoding per image. peak:
    TFLOP/s; utilisation: share of it that is reached; bandwidth: TB/s; memory: GB; price per hour; fill:
    share of the batch's places that are taken.
    """

    steps: int = 25
    guided: float = 1.0
    batch: int = 1
    heun: bool = False
    flops: float = 6.761
    parameters: float = 2.567
    bytes: float = 2.0
    activations: float = 1.0
    others: float = 2.0
    fixed: float = 0.1
    peak: float = 300.0
    utilisation: float = 0.4
    bandwidth: float = 2.0
    memory: float = 24.0
    price: float = 2.0
    fill: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} = {value}: give a number from {low:g} to {high:g}.")

    @property
    def evaluations(self) -> int:
        """K: of the denoiser with its guidance."""
        return 2 * self.steps - 1 if self.heun else self.steps

    @property
    def passes(self) -> float:
        """K (1 + g): of the network, per image."""
        return self.evaluations * (1 + self.guided)

    @property
    def weights(self) -> float:
        """W, GB."""
        return self.parameters * self.bytes

    def seconds(self, rows: int) -> float:
        """T(r) = max(r F / (u C), W / B): arithmetic, or reading the weights once."""
        return max(rows * self.flops / (self.utilisation * self.peak), self.weights / (1000 * self.bandwidth))

    @property
    def turning_point(self) -> float:
        """Rows from which a pass waits for arithmetic: W / B = r F / (u C)."""
        return self.weights / (1000 * self.bandwidth) * self.utilisation * self.peak / self.flops

    @property
    def latency(self) -> float:
        """K (g T(2 b) + (1 - g) T(b)) + b T_fixed, seconds; a guided evaluation is one call of 2 b rows."""
        g, b = self.guided, self.batch
        denoised = self.evaluations * (g * self.seconds(2 * b) + (1 - g) * self.seconds(b))
        return denoised + b * self.fixed

    @property
    def rows(self) -> int:
        """In the largest call."""
        return self.batch * (2 if self.guided > 0 else 1)

    @property
    def needed(self) -> float:
        """W + W_others + r A, GB."""
        return self.weights + self.others + self.rows * self.activations

    @property
    def throughput(self) -> float:
        """f b / latency, images per second."""
        return self.fill * self.batch / self.latency

    @property
    def cost(self) -> float:
        """Of a thousand images: price / 3600 x seconds per image."""
        return 1000 * self.price / 3600 / self.throughput


def serving_calculator() -> Part:
    """Type your own numbers; every result shows its formula."""
    job = Serving()
    data = {
        "job": asdict(job),
        "preset": FIRST,
        "limits": LIMITS,
        "whole": WHOLE,
        "presets": PRESETS,
    }
    alt = (
        f"Latency and price of a thousand images against the batch, for {job.steps} guided steps of {FIRST}, "
        f"on a device of round numbers. At batch 1: {job.latency:.2f} s, {job.needed:.1f} GB and "
        f"{job.cost:.2f} for a thousand images. Crosses do not fit the memory."
    )
    return Part("serving.mjs", "Serving calculator", data, drawn(job), alt)


def drawn(job: Serving) -> "Figure":
    """Latency and cost against the batch; crosses do not fit the memory."""
    from matplotlib.figure import Figure

    figure = Figure((7, 2.6), layout="constrained")
    jobs = [replace(job, batch=2**i) for i in range(8)]
    views = {"latency": "latency of a batch, s", "cost": "price of 1000 images"}
    for axes, (name, label) in zip(figure.subplots(1, 2), views.items(), strict=True):
        axes.plot(range(8), [getattr(one, name) for one in jobs], linewidth=1)
        for i, one in enumerate(jobs):
            axes.plot(i, getattr(one, name), "o" if one.needed <= one.memory else "x", color="C0")
        axes.set(xlabel="batch", ylabel=label, ylim=(0, None))
        axes.set_xticks(range(8), [one.batch for one in jobs])
    return figure
