"""The schedule explorer against diffusion_lab.schedules: curves, shift, rescaling, shares of times."""

import math

import pytest
import torch

from diffusion_lab.schedules import SCHEDULES, Shifted, Table
from diffusion_lab.widgets.explorer import EXPLORED, schedule_explorer
from tests.widgets.node import evaluated

TIMES = [0.0, 0.0007, 1 / 7, 0.31, 0.5, 10 / 13, 0.9993, 1.0]
EDGES = [-11.0, -5.0, -3.0, 0.0, 2.0, 7.0, 13.0]


@pytest.fixture(scope="module")
def in_the_page():
    """a, sigma and shares of every schedule, as the page computes them."""
    return evaluated(
        """
        const { EXPLORED, adjusted, shares } = await import(`${W}/explorer.mjs`);
        const told = {};
        for (const name of Object.keys(EXPLORED)) {
          for (const rescale of [false, true]) {
            for (const kappa of given.kappas) {
              const schedule = adjusted({ name, kappa, rescale });
              told[[name, rescale, kappa]] = {
                a: given.times.map(schedule.a), sigma: given.times.map(schedule.sigma),
                shares: shares(schedule, given.edges),
              };
            }
          }
        }
        tell(told);
        """,
        times=TIMES,
        edges=EDGES,
        kappas=[1, 3, 0.25],
    )


def schedule(name, rescale, kappa):
    base = SCHEDULES[name]()
    return Shifted(base.zero_snr() if rescale and isinstance(base, Table) else base, float(kappa))


@pytest.mark.parametrize("kappa", [1, 3, 0.25])
@pytest.mark.parametrize("rescale", [False, True], ids=["as it is", "rescaled"])
@pytest.mark.parametrize("name", EXPLORED)
def test_the_page_has_the_packages_a_and_sigma(in_the_page, name, rescale, kappa):
    got, want = in_the_page[f"{name},{str(rescale).lower()},{kappa}"], schedule(name, rescale, kappa)
    t = torch.tensor(TIMES)
    torch.testing.assert_close(torch.tensor(got["a"]), want.a(t), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.tensor(got["sigma"]), want.sigma(t), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EXPLORED)
def test_shares_of_uniform_times_are_differences_of_the_inverse_clock(in_the_page, name):
    times = schedule(name, False, 3).t_at(torch.tensor(EDGES[1:-1]) / 2)
    want = -torch.diff(torch.cat([torch.ones(1), times, torch.zeros(1)]))
    got = torch.tensor(in_the_page[f"{name},false,3"]["shares"])
    torch.testing.assert_close(got, want, rtol=0, atol=1e-9)
    assert got.sum().item() == pytest.approx(1.0)


def test_a_shift_moves_log_snr_by_two_log_kappa_and_sits_on_sd3s_clock():
    told = evaluated(
        """
        const { EXPLORED, numbersAt, shiftedBy } = await import(`${W}/explorer.mjs`);
        const of = (name, kappa, t) => numbersAt(shiftedBy(EXPLORED[name], kappa), t);
        const moved = of("cosine", 3, 0.37).logSnr - of("cosine", 1, 0.37).logSnr;
        tell({ moved, sigma: of("flow", 3, 0.37).sigma });
        """
    )
    assert told["moved"] == pytest.approx(-2 * math.log(3))
    assert told["sigma"] == pytest.approx(3 * 0.37 / (1 + 2 * 0.37))


def test_the_readout_says_what_the_chapter_says():
    told = evaluated(
        """
        const { adjusted, reported } = await import(`${W}/explorer.mjs`);
        const name = "scaled_linear";
        const told = (rescale) => reported(adjusted({ name, kappa: 1, rescale }), 0).join(" ");
        const shifted = reported(adjusted({ name, kappa: 2, rescale: false }), 0).join(" ");
        tell([told(false), told(true), shifted]);
        """
    )
    assert "35.5 % have more signal than noise, 6.5 % an SNR below 0.01" in told[0]
    assert "33.8 % have more signal than noise, 16.0 % an SNR below 0.01" in told[1]
    assert "The end, t = 1: SNR = 0.00117;" in told[2]
    assert "17.0 % have more signal than noise" in told[2]
    assert "The end, t = 1: SNR = 0.004682; 6.8 % of the data's amplitude is left." in told[0]
    assert "t = 0.000: a = 1, σ = 0, SNR = ∞" in told[0]
    assert "The end, t = 1: SNR = 0; 0.0 %" in told[1]


def test_bad_input_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="did you mean 'cosine'"):
        schedule_explorer("cosin")
    with pytest.raises(ValueError, match=r"times lie in \[0, 1\]"):
        schedule_explorer(t=1.5)


def test_the_picture_says_the_same_as_the_first_view():
    part = schedule_explorer()
    assert "At t = 0.5 a = 0.527, sigma = 0.850; at t = 1 SNR = 0.0047." in part.alt
    assert len(part.figure.axes) == 2
