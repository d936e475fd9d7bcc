"""Guidance on a line, in the page and in the package: the same toy, the same numbers, nothing tilted."""

import pytest
import torch

from benchmarks import guidance as benchmark
from diffusion_lab import guidance
from diffusion_lab.widgets import guided

from .node import evaluated

IMPORT = """
const T = await import(W + "/tilt.mjs");
const { carried, classes, counted, flowing, guidedBy, tilted, wandering } = T;
const ends = (steps) => steps[steps.length - 1].x;
const law = classes({ gap: given.gap ?? 1, std: 0.5 });
"""
SCALES = [1.0, 2.0, 4.0, 7.5]
KNOWN = {  # an earlier computation, mean and deviation: tilted law, CFG by the ODE, CFG by the SDE
    1.0: ((1.00, 0.50), (0.99, 0.50), (1.00, 0.50)),
    2.0: ((1.04, 0.47), (1.31, 0.36), (1.17, 0.44)),
    4.0: ((1.06, 0.45), (1.66, 0.28), (1.28, 0.43)),
    7.5: ((1.08, 0.44), (2.04, 0.24), (1.38, 0.43)),
}


def test_the_toy_is_the_benchmarks():
    law = guided.classes()
    for name in ("means", "covs", "weights", "labels"):
        assert torch.equal(getattr(law, name), getattr(benchmark.LINE, name).to(getattr(law, name).dtype))
    assert (guided.PROCESS.schedule, guided.STEPS) == (benchmark.PROCESS.schedule, benchmark.STEPS)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.2, 0.7)])
def test_the_guided_prediction_is_the_packages(low, high):
    x = torch.linspace(-2.3, 3.1, 11, dtype=torch.float64)[:, None]
    times = [0.05, 0.2, 0.45, 0.7, 0.95]
    seen = evaluated(
        IMPORT
        + """const predict = guidedBy(law, { w: 3.5, low: given.low, high: given.high });
        tell(given.times.map((t) => {
          const { x0, eps } = predict(Float64Array.from(given.x), t);
          return [[...x0], [...eps]];
        }));""",
        x=x[:, 0].tolist(),
        times=times,
        low=low,
        high=high,
    )
    null = torch.tensor([guided.classes().null])
    scale = guidance.interval(3.5, low, high)
    rule = guidance.cfg(guided.classes().denoiser(guided.PROCESS), torch.tensor([1]), null, scale)
    for t, (x0, eps) in zip(times, seen, strict=True):
        torch.testing.assert_close(torch.tensor(x0), rule(x, t).x0[:, 0], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(torch.tensor(eps), rule(x, t).eps[:, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("w", [0.0, *SCALES])
def test_curves_and_moments_are_the_packages(w):
    seen = evaluated(
        IMPORT + "tell([tilted(law, given.w), carried(ends([...flowing(guidedBy(law, { w: given.w }))]))]);",
        w=w,
    )
    for ours, truth in zip(seen, (guided.tilted(w), guided.by_ode(w)), strict=True):
        assert (ours["mean"], ours["std"]) == pytest.approx(truth[:2], abs=1e-7)
        # Slopes of the map divide neighbours that are a fortieth apart
        torch.testing.assert_close(torch.tensor(ours["curve"]), truth.shown, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("w", SCALES)
def test_the_known_numbers_of_the_toy_come_out(w):
    seen = evaluated(
        IMPORT
        + """const predict = guidedBy(law, { w: given.w });
        const [ode, sde] = [flowing(predict), wandering(predict, 1)].map((steps) => ends([...steps]));
        const found = [tilted(law, given.w), carried(ode), counted(sde)];
        tell(found.map(({ mean, std }) => [mean, std]));""",
        w=w,
    )
    # Printed digits; then other steps and another start; then 3,000 draws in 200 steps
    for ours, known, slack in zip(seen, KNOWN[w], (0.006, 0.025, 0.04), strict=True):
        assert ours == pytest.approx(known, abs=slack)


def test_guidance_does_not_sample_the_tilted_law():
    aim, ode = guided.tilted(4.0), guided.by_ode(4.0)
    assert ode.mean > aim.mean + 0.5
    assert ode.std < 0.7 * aim.std


def test_the_map_of_the_line_carries_all_of_the_mass():
    seen = evaluated(
        IMPORT + "tell(carried(ends([...flowing(guidedBy(law, { w: 0 }))])).curve);",
    )
    at, height = torch.tensor(seen).T
    assert torch.trapezoid(height, at) == pytest.approx(1, abs=5e-3)
    truth = guided.classes().log_prob(guided.PROCESS, at[:, None], 0.0).exp()
    torch.testing.assert_close(height, truth, atol=5e-3, rtol=0)  # k = 80 hides a mean of 1 / 80


def test_a_histogram_has_unit_mass_and_the_moments_of_its_points():
    x = [-0.31, -0.29, 0.05, 0.07, 0.44, 0.46, 0.47]
    seen = evaluated(IMPORT + "tell(counted(Float64Array.from(given.x)));", x=x)
    at, height = torch.tensor(seen["curve"]).T
    assert torch.trapezoid(height, at) == pytest.approx(1)
    points = torch.tensor(x)
    assert seen["mean"] == pytest.approx(points.mean().item())
    assert seen["std"] == pytest.approx(points.std(correction=0).item())


def test_the_picture_without_scripts_says_the_numbers_of_the_first_view():
    part = guided.guidance_lab()
    seen = evaluated(
        """const { laws, spread } = await import(W + "/guided.mjs");
        const seen = [];
        const asked = { ...given.data, middle: false };
        for await (const found of laws(asked, () => false)) seen.push(spread(found));
        tell(seen);""",
        data=part.data,
    )
    assert seen[0][3] == ["CFG by the reverse SDE", "…", "…"]
    rows = {name: (mean, std) for name, mean, std in seen[1]}
    assert "tilted law {} and {}".format(*rows["tilted law, p(x) p(c|x)^w"]) in part.alt
    assert "CFG, ODE {} and {}".format(*rows["CFG by the ODE"]) in part.alt
    assert len(part.figure.axes) == 1


def test_what_the_chapter_says_about_classes_far_apart_is_so():
    seen = evaluated(
        """const { laws, spread } = await import(W + "/guided.mjs");
        for await (const found of laws({ w: 4, gap: 2, std: 0.5, middle: false }, () => false)) {
          if (found.sde) tell(spread(found));
        }"""
    )
    assert seen[1:3] == [["tilted law, p(x) p(c|x)^w", "2.00", "0.50"], ["CFG by the ODE", "2.65", "0.29"]]
