"""Samplers of the page against those of the package: the same noise, the same steps."""

import pytest
import torch

from diffusion_lab import grids, samplers
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine, Flow

from .node import evaluated

PATHS = {"vp": VP(), "cosine": Cosine(), "flow": Flow()}
NAMES = {"ddpm": "ddpm", "ddim": "ddim", "euler": "euler", "heun": "heun", "dpmpp2m": "dpmpp_2m"}
N = 11
LAW = GaussianMixture.isotropic(torch.tensor([[-1.0, 0.3], [0.7, 1.1], [0.2, -0.9]]).double(), 0.2)

RUN = """
const { SCHEDULES } = await import(W + "/process.mjs");
const { mixture } = await import(W + "/mixture.mjs");
const { SOLVERS } = await import(W + "/solvers.mjs");
const law = mixture({ means: given.means, std: 0.2 }), path = SCHEDULES[given.path];
const predict = (x, t) => law.predict(x, t, path);
let drawn = 0;
const start = Float64Array.from(given.x);
const knobs = { eta: given.eta ?? undefined, draw: () => given.noise[drawn++] };
const steps = [...SOLVERS[given.name](predict, path, given.times, start, knobs)];
tell({ steps: steps.map(({ t, x, x0 }) => ({ t, x: [...x], x0: [...x0] })), start: [...start], drawn });
"""


def walked(name, path, eta=None):
    """Steps by the page and by the package, on one grid with one noise."""
    rng = torch.Generator().manual_seed(3)
    ts = grids.karras(PATHS[path], N)
    process = Gaussian(PATHS[path])
    x = process.prior(torch.randn(7, 2, generator=rng), ts[0].item())
    noise = torch.Generator().manual_seed(5)
    drawn = torch.cat([torch.randn(7, 2, generator=noise).flatten() for _ in range(N)])
    seen = evaluated(
        RUN,
        name=name,
        path=path,
        times=ts.tolist(),
        x=x.flatten().tolist(),
        noise=drawn.tolist(),
        means=LAW.means.tolist(),
        eta=eta,
    )
    knobs = {}
    if name == "ddpm":
        knobs = {"rng": torch.Generator().manual_seed(5), "eta": 1.0 if eta is None else eta}
    steps = list(samplers.SAMPLERS[NAMES[name]](LAW.denoiser(process), x, ts, **knobs))
    assert seen["start"] == x.flatten().tolist()
    return seen, steps


def same(seen, steps):
    assert [step["t"] for step in seen["steps"]] == [step.t for step in steps]
    for ours, step in zip(seen["steps"], steps, strict=True):
        x0 = step.x if step.pred is None else step.pred.x0
        torch.testing.assert_close(torch.tensor(ours["x"]), step.x.flatten(), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(torch.tensor(ours["x0"]), x0.flatten(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_the_packages(name, path):
    same(*walked(name, path))


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_eta_goes_from_ddim_to_ddpm(eta):
    seen, steps = walked("ddpm", "vp", eta)
    same(seen, steps)
    assert seen["drawn"] == (14 * (N - 1) if eta else 0)


def test_all_noise_afresh_is_the_consistency_sampler():
    seen, _ = walked("ddpm", "vp", 1e9)
    rng = torch.Generator().manual_seed(5)
    ts = grids.karras(VP(), N)
    process = Gaussian(VP())
    x = process.prior(torch.randn(7, 2, generator=torch.Generator().manual_seed(3)), ts[0].item())
    same(seen, list(samplers.consistency(LAW.denoiser(process), x, ts, rng)))


def test_single_precision_stays_single():
    seen = evaluated(
        """const { SCHEDULES } = await import(W + "/process.mjs");
        const { SOLVERS } = await import(W + "/solvers.mjs");
        const predict = (x) => ({ x0: x.map(() => 0.1), eps: x });
        const start = new Float32Array([1, -2, 3]);
        tell(Object.values(SOLVERS).map((solve) => {
          const steps = [...solve(predict, SCHEDULES.vp, [0.9, 0.5, 0], start, { draw: () => 0.5 })];
          return steps.map(({ x }) => x instanceof Float32Array && x.length);
        }));"""
    )
    assert seen == [[3, 3, 3]] * len(NAMES)


def test_heun_refuses_a_start_where_k_is_infinite():
    message = evaluated(
        """const { SCHEDULES } = await import(W + "/process.mjs");
        const { SOLVERS } = await import(W + "/solvers.mjs");
        try {
          SOLVERS.heun(() => null, SCHEDULES.flow, [1, 0], new Float64Array(2), {}).next();
          tell("");
        } catch (error) {
          tell(error.message);
        }"""
    )
    assert "start at 0.993" in message
