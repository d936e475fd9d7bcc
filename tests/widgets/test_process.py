"""Schedules and grids of the page against the package's."""

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.schedules import VP, Cosine, Flow

from .node import evaluated

PATHS = {"vp": VP(), "cosine": Cosine(), "flow": Flow()}
TIMES = [1e-6, 0.003, 0.1, 0.37, 0.5, 0.83, 0.999]
IMPORT = 'const { SCHEDULES, GRIDS, logSnr, timeAt, tMax } = await import(W + "/process.mjs");'
close = {"rtol": 1e-9, "atol": 1e-12}


@pytest.mark.parametrize("name", PATHS)
def test_coefficients_and_their_slopes_are_the_packages(name):
    seen = evaluated(
        IMPORT
        + """const path = SCHEDULES[given.name];
        const { a, sigma, dA, dSigma } = path;
        tell(given.times.map((t) => [a(t), sigma(t), dA(t), dSigma(t), logSnr(path, t)]));""",
        name=name,
        times=TIMES,
    )
    coefs = [PATHS[name].at(t, torch.empty(0)) for t in TIMES]
    expected = [[c.a, c.sigma, c.d_a, c.d_sigma, 2 * c.half_log_snr] for c in coefs]
    torch.testing.assert_close(torch.tensor(seen), torch.tensor(expected), **close)


@pytest.mark.parametrize("name", PATHS)
def test_a_log_snr_finds_its_time_again(name):
    seen = evaluated(
        IMPORT
        + """const path = SCHEDULES[given.name];
        tell([...given.times.map((t) => timeAt(path, logSnr(path, t))), tMax(path)]);""",
        name=name,
        times=TIMES,
    )
    torch.testing.assert_close(torch.tensor(seen), torch.tensor([*TIMES, PATHS[name].t_max]), **close)


@pytest.mark.parametrize("n", [1, 2, 11])
@pytest.mark.parametrize("name", PATHS)
def test_grids_are_the_packages(name, n):
    path = PATHS[name]
    seen = evaluated(
        IMPORT
        + """const path = SCHEDULES[given.name];
        const { uniform, logSnr: even, karras } = GRIDS;
        tell([
          uniform(path, given.n), uniform(path, given.n, 0.7),
          even(path, given.n), even(path, given.n, 0.05, 1e6),
          karras(path, given.n), karras(path, given.n, 0.01, 20, 3),
        ]);""",
        name=name,
        n=n,
    )
    expected = [
        grids.uniform(n),
        grids.uniform(n, 0.7),
        grids.log_snr(path, n),
        grids.log_snr(path, n, 0.05, 1e6),
        grids.karras(path, n),
        grids.karras(path, n, 3.0, 0.01, 20.0),
    ]
    torch.testing.assert_close(torch.tensor(seen), torch.stack(expected), rtol=1e-9, atol=1e-11)
    assert all(times[-1] == 0 for times in seen)
