"""Both sides of every numbered equation of book/errata.md, the figures its sentences rest on, its form."""

import re
from itertools import pairwise

import pytest
import torch

from diffusion_lab.book.computed import run
from diffusion_lab.oracles import GaussianMixture, Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Flow, Table
from diffusion_lab.setup.steps import ROOT

PAGE = (ROOT / "book/errata.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^\((errata-[a-z-]+)\)=\n### (.*?)(?=^\(errata-|\Z)", PAGE, re.M | re.S))


def computed(label):
    """What the blocks of one entry print while the book is built."""
    blocks = re.findall(r"^```{computed}\n(?::code:\n)?(.*?)^```", ENTRIES[label], re.M | re.S)
    return "".join(run(block)[1] for block in blocks)


def row(label, name):
    """The numbers of one row of an entry's table."""
    line = next(line for line in computed(label).splitlines() if line.startswith(f"| {name}"))
    return [float(cell) for cell in line.split("|")[2:-1]]


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_says_what_holds_why_the_mistake_is_made_and_where_it_is_treated(label):
    entry = ENTRIES[label]
    assert "**Holds.**" in entry
    assert "**Why it is believed.**" in entry
    assert "](#" in entry


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_shows_a_computation_an_equation_or_a_paper(label):
    assert any(mark in ENTRIES[label] for mark in ("```{computed}", "{eq}`", "{cite:"))


def test_no_entry_is_read_twice_or_missed():
    assert len(ENTRIES) == len(re.findall("^### ", PAGE, re.M))


def test_eq_errata_increment():
    # x_0 = 0 and one axis for each step's own noise: the chain of single steps is then a linear map.
    table = Table.linear(23)
    x, noises = torch.zeros(23), torch.eye(23)
    for i, beta in enumerate(table.beta):
        x = (1 - beta).sqrt() * x + beta.sqrt() * noises[i]
        eps = x / (1 - table.alpha_bar[i + 1]).sqrt()
        assert eps.norm().item() == pytest.approx(1.0)
        expected = (beta / (1 - table.alpha_bar[i + 1])).sqrt().item()
        assert (eps @ noises[i]).item() == pytest.approx(expected)


def test_eq_errata_normalisable():
    law, process = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]), 0.5), Gaussian(VP())
    x = torch.linspace(-9, 9, 9001)[:, None]
    for t in (1e-6, 0.2, 0.7):
        log_p, log_c = law.log_prob(process, x, t), law.class_log_prob(process, x, t)[:, 1]
        masses = [torch.trapezoid((log_p + w * log_c).exp(), x[:, 0]).item() for w in (0, 0.5, 1, 3, 7.5)]
        assert masses[0] == pytest.approx(1.0, abs=1e-5)
        assert masses[2] == pytest.approx(0.5, abs=1e-5)  # w = 1: the class's own share
        assert all(more > less > 0 for more, less in pairwise(masses))


def test_the_reverse_kernel_of_two_points_has_the_kurtosis_that_is_printed():
    # By sampling: x_0 is +1 or -1 with equal odds given x_t = 0, and each side has its own posterior.
    process, n = Gaussian(Flow()), 40_009
    rng = torch.Generator().manual_seed(0)
    side = (2 * torch.randint(0, 2, (n, 1), generator=rng) - 1).double()
    x = torch.zeros(n, 1)
    kinds = [Points(torch.full((1, 1), value)).denoiser(process) for value in (1.0, -1.0)]
    noise = torch.randn(n, 1, generator=rng)
    ends = [process.reverse(x, denoise(x, 0.5), 0.5, 0.3, noise) for denoise in kinds]
    y = torch.where(side > 0, *ends)
    excess = (y**4).mean() / (y**2).mean() ** 2 - 3
    assert row("errata-posterior", "excess")[3] == pytest.approx(excess.item(), abs=0.03)


def test_noise_added_twice_ends_eleven_times_too_wide():
    assert row("errata-sampler-variance", "direction not shrunk")[0] == pytest.approx(11.0, abs=0.01)
    assert row("errata-sampler-variance", "direction shrunk")[0] == pytest.approx(0.99, abs=0.005)


def test_a_table_for_a_thousand_cut_to_a_hundred_leaves_six_tenths():
    assert row("errata-hundred-steps", "100 steps |")[0] == pytest.approx(0.603)


def test_the_truth_lies_between_the_small_and_the_large_variance():
    for name, v in (("0.1 ", 0.1), ("0.01 ", 0.01)):
        small, large = row("errata-eta-one", name)
        assert small < v < large
    assert row("errata-eta-one", "1 ")[1] == pytest.approx(1.0, abs=2e-4)


def test_neither_guided_sampler_draws_from_the_tilted_law():
    tilted, ode, noisy = (
        row("errata-tilted", name) for name in ("the tilted", "sampled with the", "sampled with n")
    )
    assert tilted == pytest.approx([1.08, 0.44], abs=0.01)
    assert ode == pytest.approx([2.04, 0.24], abs=0.05)
    assert tilted[0] + 0.2 < noisy[0] < ode[0] - 0.4


def test_the_same_distance_is_estimated_higher_for_the_wider_model():
    wide, narrow = row("errata-fid-n", "too wide"), row("errata-fid-n", "too narrow")
    assert wide[-1] == pytest.approx(narrow[-1], abs=0.05)
    assert wide[0] > narrow[0] + 0.5


def test_twice_the_steps_halve_the_error_of_ddim():
    errors = row("errata-ddim-ode", "distance")
    assert all(coarse / fine == pytest.approx(2.0, abs=0.25) for coarse, fine in pairwise(errors))


def test_a_table_that_ends_early_is_seen_by_the_mean_and_not_by_standard_normal_data():
    def means_and_variances(name):
        line = next(
            line for line in computed("errata-normal-data").splitlines() if line.startswith(f"| {name}")
        )
        return [float(value) for value in re.findall(r"(?:mean|variance) (-?[\d.]+)", line)]

    assert means_and_variances("100 steps") == pytest.approx([0.0, 1.0, 1.75, 0.25], abs=0.03)
    assert means_and_variances("returns its start")[:2] == [0.0, 1.0]
    assert means_and_variances("noise added")[1] == pytest.approx(11.0, abs=0.01)
    assert means_and_variances("right")[2:] == pytest.approx([2.0, 0.25], abs=0.005)


def test_solvers_that_do_not_step_in_t_are_one_under_both_scalings():
    lines = computed("errata-vp-ve").splitlines()
    same = [line for line in lines if line.endswith("| 0 to rounding |")]
    assert [line.split("|")[1].strip() for line in same] == ["DDIM", "DPM-Solver++ 2M"]
    assert row("errata-vp-ve", "Euler")[0] > 0.1
