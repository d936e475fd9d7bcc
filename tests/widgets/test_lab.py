"""The exact lab against the package: the same ends, energies against Bessel functions, a true alt text."""

import math
import re

import pytest
import torch

from diffusion_lab import grids, samplers
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Flow
from diffusion_lab.widgets import lab

from .node import evaluated

IMPORT = """
const { mixture } = await import(W + "/mixture.mjs");
const { RUNS, SPACINGS, TRUTH, footing, walk } = await import(W + "/contest.mjs");
const { energyDistance, meanDistance, ownDistance, rms } = await import(W + "/energy.mjs");
const { normals } = await import(W + "/random.mjs");
const ends = (steps) => steps[steps.length - 1].x;
"""
MEANS, STD, WEIGHTS = [[-1.1, 0.4], [0.9, 1.2], [0.3, -1.3]], 0.27, [0.5, 0.2, 0.3]
LAW = GaussianMixture.isotropic(torch.tensor(MEANS, dtype=torch.float64), STD)


def noise(n):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(2))


def grid(spacing, path, n):
    start = path.t_at(torch.tensor(-math.log(80.0))).item()
    return {
        "logSnr": lambda: grids.log_snr(path, n, 0.02, 80.0),
        "karras": lambda: grids.karras(path, n, 7.0, 0.02, 80.0),
        "uniform": lambda: grids.uniform(n, start),
    }[spacing]()


@pytest.mark.parametrize("spacing", ["logSnr", "karras", "uniform"])
def test_every_sampler_ends_where_the_packages_ends_after_as_many_calls(spacing):
    calls, x = 7, noise(5)
    seen = evaluated(
        IMPORT
        + """let asked = 0;
        const exact = mixture({ means: given.means, std: given.std });
        const law = { predict: (...args) => (asked++, exact.predict(...args)) };
        const { noise, calls, spacing } = given;
        const run = (one) => {
          asked = 0;
          const start = Float64Array.from(noise);
          const steps = [...walk(one, { law, noise: start, calls, spacing, draw: () => 0 })];
          return { ends: [...ends(steps)], asked };
        };
        tell(Object.fromEntries(Object.entries(RUNS).map(([name, one]) => [name, run(one)])));""",
        means=MEANS,
        std=STD,
        noise=x.flatten().tolist(),
        calls=calls,
        spacing=spacing,
    )
    assert {run["asked"] for run in seen.values()} == {calls}
    names = {"ddim": VP(), "dpmpp2m": VP(), "heun": VP(), "flow": Flow()}
    for name, path in names.items():
        process = Gaussian(path)
        ts = grid(spacing, path, 4 if name == "heun" else 7)
        sampler = {"dpmpp2m": "dpmpp_2m", "flow": "euler"}.get(name, name)
        truth = samplers.final(
            samplers.SAMPLERS[sampler](LAW.denoiser(process), process.prior(x, ts[0].item()), ts)
        )
        torch.testing.assert_close(torch.tensor(seen[name]["ends"]), truth.flatten(), rtol=1e-8, atol=1e-8)


def test_the_truth_is_solved_finely_enough_for_the_digits_that_are_shown():
    x = noise(23)
    seen = evaluated(
        IMPORT
        + """const law = mixture({ means: given.means, std: given.std });
        tell([...ends([...walk(TRUTH, { law, noise: Float64Array.from(given.noise) })])]);""",
        means=MEANS,
        std=STD,
        noise=x.flatten().tolist(),
    )
    process = Gaussian(VP())
    ts = grids.log_snr(VP(), 2000, 2e-4, 80.0)
    finer = samplers.final(samplers.heun(LAW.denoiser(process), process.prior(x, ts[0].item()), ts))
    gap = (torch.tensor(seen).reshape(-1, 2) - finer).square().sum(1).mean().sqrt()
    assert gap < 1e-3


def test_euler_on_the_straight_line_is_ddim_where_the_levels_are_the_same():
    seen = evaluated(
        IMPORT
        + """const law = mixture({ means: given.means, std: given.std });
        const noise = Float64Array.from({ length: 14 }, normals(5));
        const run = (name, spacing) => ends([...walk(RUNS[name], { law, noise, calls: 9, spacing })]);
        tell(Object.keys(SPACINGS).map((spacing) => rms(run("ddim", spacing), run("flow", spacing))));""",
        means=MEANS,
        std=STD,
    )
    assert seen[0] < 1e-9
    assert seen[1] < 1e-9
    assert seen[2] > 1e-3


def rice(distance, std):
    """E|p - Y| for Y ~ N(0, std^2 I) in the plane, by Bessel functions: the mean of Rice's law."""
    y = torch.as_tensor(distance) ** 2 / (4 * std**2)
    bessel = (1 + 2 * y) * torch.special.i0e(y) + 2 * y * torch.special.i1e(y)
    return std * math.sqrt(math.pi / 2) * bessel


def test_the_mean_distance_to_a_gaussian_is_rices_mean_near_and_far():
    distances = [
        0.0,
        1e-3,
        0.3,
        1.0,
        2.12,
        2.13,
        2.5,
        7.0,
        90.0,
    ]  # the formula changes at 0.275 sqrt(60) = 2.13
    seen = evaluated(
        IMPORT + "tell(given.distances.map((r) => meanDistance(r * r, given.std ** 2)));",
        distances=distances,
        std=0.275,
    )
    torch.testing.assert_close(torch.tensor(seen), rice(distances, 0.275), rtol=1e-12, atol=1e-12)


def test_the_energy_distance_is_its_definition():
    x = 1.3 * noise(17)
    seen = evaluated(
        IMPORT
        + """const law = mixture({ means: given.means, std: given.std, weights: given.weights });
        tell(energyDistance(Float64Array.from(given.x), law));""",
        means=MEANS,
        std=STD,
        weights=WEIGHTS,
        x=x.flatten().tolist(),
    )
    means, w = torch.tensor(MEANS), torch.tensor(WEIGHTS)
    across = (rice(torch.cdist(x, means), STD) * w).sum(1).mean()
    own = w @ rice(torch.cdist(means, means), STD * 2**0.5) @ w
    assert seen == pytest.approx((2 * across - torch.cdist(x, x).mean() - own).item(), rel=1e-9)


def test_draws_of_the_law_have_the_energy_that_the_table_says():
    seen = evaluated(
        IMPORT
        + """const law = mixture({ means: given.means, std: given.std });
        const found = given.sets.map((x) => energyDistance(Float64Array.from(x), law));
        tell([found, ownDistance(law) / 50]);""",
        means=MEANS,
        std=STD,
        sets=[
            LAW.sample(50, torch.Generator().manual_seed(seed))[0].flatten().tolist() for seed in range(200)
        ],
    )
    found = torch.tensor(seen[0])
    assert abs(found.mean() - seen[1]) < 4 * found.std() / len(found) ** 0.5


def test_arrows_are_the_score_of_the_package_scaled_by_sigma():
    t = 0.41
    seen = evaluated(
        IMPORT
        + """const { arrows } = await import(W + "/lab.mjs");
        tell(arrows(mixture({ means: given.means, std: given.std }), given.t));""",
        means=MEANS,
        std=STD,
        t=t,
    )
    x, arrow = torch.tensor(seen).unbind(1)
    truth = -LAW.denoiser(Gaussian(VP()))(x, t).eps
    truth = 0.36 * truth / truth.norm(dim=1, keepdim=True).clamp(min=1.0)
    torch.testing.assert_close(arrow, truth, rtol=1e-9, atol=1e-9)
    assert len(x) == 169


def test_ways_start_as_unit_noise_and_end_as_data_on_every_path():
    seen = evaluated(
        IMPORT
        + """const law = mixture({ means: given.means, std: given.std });
        const noise = Float64Array.from({ length: 6 }, normals(3));
        tell(["ddim", "flow"].map((name) => {
          const steps = [...walk(RUNS[name], { law, noise, calls: 5, spacing: "logSnr" })];
          const ways = footing(steps, RUNS[name].path);
          return [rms(ways[0].x, noise), rms(ends(ways), ends(steps))];
        }));""",
        means=MEANS,
        std=STD,
    )
    for start, end in seen:
        assert start < 1e-3  # k = 80 leaves 1 / 80^2 of a variance
        assert end == 0


def test_the_picture_without_scripts_says_the_numbers_of_the_first_view():
    part = lab.exact_lab()
    seen = evaluated(
        IMPORT
        + """const { result } = await import(W + "/contest.mjs");
        const law = mixture(given.data), noise = Float64Array.from(given.data.noise.flat());
        const run = (one) => ends([...walk(one, { law, noise, ...given.data, noise, draw: normals(1) })]);
        const exact = run(TRUTH);
        const found = (one) => result(one.label, 11, run(one), one.random ? null : exact, law);
        tell(Object.values(RUNS).map(found));""",
        data=part.data,
    )
    said = {one["name"]: f"{one['toOde']:.3f}" for one in seen if one["toOde"] is not None}
    assert list(said) == [name for name in lab.RUNS if name != "DDPM"]
    for name, number in said.items():
        assert f"{name} {number}" in part.alt
    assert len(part.figure.axes) == 7


@pytest.mark.parametrize("results", [[], [("A++", 0.5), ("B-1", 12.0), ("C", None)]])
def test_the_read_out_names_best_and_worst_and_keeps_their_names(results):
    text = evaluated(
        """const { told } = await import(W + "/lab.mjs");
        const state = { t: 0.5, modes: [[-1, 0.25]], chosen: 0, calls: 9, spacing: "karras" };
        tell(told(state, given.results.map(([name, toOde]) => ({ name, toOde }))));""",
        results=results,
    )
    log_snr = 2 * VP().at(0.5, torch.empty(0)).half_log_snr
    assert f"log SNR {log_snr:.1f}".replace("-", "−") in text
    assert "Mode 1 at (−1.00, 0.25)" in text
    assert bool(re.search("Nearest.*A\\+\\+, 0.500; farthest: B-1, 12.0", text)) == bool(results)


def test_only_a_press_on_a_mode_takes_hold_of_it():
    seen = evaluated(
        """const { caught } = await import(W + "/handles.mjs");
        const points = [[0, 0], [1, 1], [1.2, 1]];
        tell([[0.1, -0.1], [1.15, 1], [0.5, 0.5]].map((at) => caught(at, points)));"""
    )
    assert seen == [0, 2, -1]


def test_what_rounds_to_zero_has_no_sign():
    seen = evaluated(
        """const { fixed } = await import(W + "/ledger.mjs");
        tell([-0.004, 0, -1.25, 3].map((x) => fixed(x, 2)));"""
    )
    assert seen == ["0.00", "0.00", "−1.25", "3.00"]


def test_what_the_chapter_says_about_the_first_view_is_so():
    seen = evaluated(
        IMPORT
        + """const { result } = await import(W + "/contest.mjs");
        const law = mixture(given.data), noise = Float64Array.from(given.data.noise.flat());
        const exact = ends([...walk(TRUTH, { law, noise })]);
        const run = (name, calls, spacing) => {
          const steps = [...walk(RUNS[name], { law, noise, calls, spacing, draw: normals(1) })];
          return result(name, calls, ends(steps), exact, law);
        };
        const all = ([calls, spacing]) => Object.keys(RUNS).map((name) => [name, run(name, calls, spacing)]);
        const settings = [[11, "logSnr"], [41, "logSnr"], [11, "uniform"]];
        tell([settings.map((one) => Object.fromEntries(all(one))), ownDistance(law) / 200]);""",
        data=lab.exact_lab().data,
    )
    (few, many, clock), floor = seen
    paths = ["ddim", "dpmpp2m", "heun", "flow"]
    assert max(paths, key=lambda name: few[name]["toOde"]) == "heun"
    assert [f"{many[name]['toOde']:.3f}" for name in paths] == ["0.103", "0.007", "0.013", "0.103"]
    assert (f"{clock['ddim']['toOde']:.3f}", f"{clock['flow']['toOde']:.3f}") == ("0.181", "0.173")
    assert f"{floor:.3f}" == "0.009"
    assert f"{few['dpmpp2m']['toLaw']:.3f}" == "0.008"
    assert many["ddpm"]["toLaw"] < floor
    assert many["ddpm"]["toOde"] > 2


def test_five_points_of_ddim_go_to_another_mode_and_make_most_of_its_distance():
    data = lab.exact_lab().data
    noise, modes = torch.tensor(data["noise"], dtype=torch.float64), torch.tensor(lab.MEANS).double()
    ours, exact = lab.run("DDIM", noise), lab.solved(noise)
    other = torch.cdist(ours, modes).argmin(1) != torch.cdist(exact, modes).argmin(1)
    square = (ours - exact).square().sum(1)
    assert other.sum() == 5
    assert 0.58 < square[other].sum() / square.sum() < 0.62
