"""The exact mixture of the page against the oracle of the package, and its random numbers."""

import pytest
import torch

from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine, Flow

from .node import evaluated

PATHS = {"vp": VP(), "cosine": Cosine(), "flow": Flow()}
STD = 0.23
WEIGHTS, LABELS = [0.2, 0.35, 0.05, 0.3, 0.1], [0, 1, 1, 0, 2]


def law(d):
    rng = torch.Generator().manual_seed(d)
    means = torch.randn(5, d, generator=rng)
    return GaussianMixture.isotropic(means, STD, torch.tensor(WEIGHTS), torch.tensor(LABELS))


def given(d):
    x = 1.5 * torch.randn(13, d, generator=torch.Generator().manual_seed(7))
    shape = {"means": law(d).means.tolist(), "std": STD, "weights": WEIGHTS, "labels": LABELS}
    return x, {"law": shape, "x": x.flatten().tolist(), "d": d}


IMPORT = """
const { SCHEDULES } = await import(W + "/process.mjs");
const { mixture } = await import(W + "/mixture.mjs");
const law = mixture(given.law), x = Float64Array.from(given.x), path = SCHEDULES[given.path];
const list = (values) => [...values];
"""


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("t", [1e-3, 0.31, 0.97])
def test_density_score_and_predictions_are_the_oracles(name, t, d):
    x, shape = given(d)
    seen = evaluated(
        IMPORT
        + """const { x0, eps } = law.predict(x, given.t, path);
        tell([law.density(x, given.t, path), law.score(x, given.t, path), x0, eps].map(list));""",
        **shape,
        path=name,
        t=t,
    )
    process = Gaussian(PATHS[name])
    pred = law(d).denoiser(process)(x, t)
    expected = [law(d).log_prob(process, x, t).exp(), pred.score, pred.x0, pred.eps]
    for value, truth in zip(seen, expected, strict=True):
        torch.testing.assert_close(torch.tensor(value), truth.flatten(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [0.02, 0.6])
def test_a_class_has_its_own_law_and_its_probability(t):
    x, shape = given(2)
    seen = evaluated(
        IMPORT
        + """const own = law.given(1).predict(x, given.t, path);
        const p = [0, 1, 2].map((label) => list(law.classProbability(x, given.t, path, label)));
        tell([list(own.x0), list(own.eps), p, list(law.responsibilities(x, given.t, path))]);""",
        **shape,
        path="vp",
        t=t,
    )
    process = Gaussian(VP())
    own = law(2).denoiser(process)(x, t, torch.tensor([1]))
    p = law(2).class_log_prob(process, x, t).exp()
    torch.testing.assert_close(torch.tensor(seen[0]), own.x0.flatten(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(torch.tensor(seen[1]), own.eps.flatten(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(torch.tensor(seen[2]).T, p, rtol=1e-9, atol=1e-12)
    shares = torch.tensor(seen[3]).reshape(13, 5)
    for label in range(3):
        torch.testing.assert_close(
            shares[:, torch.tensor(LABELS) == label].sum(1), p[:, label], rtol=1e-9, atol=1e-12
        )


def test_pure_noise_and_clean_data_give_numbers():
    x, shape = given(2)
    ends = evaluated(
        IMPORT
        + """tell([0, 1].map((t) => {
          const { x0, eps } = law.predict(x, t, path);
          return [list(x0), list(eps)];
        }));""",
        **shape,
        path="flow",
    )
    (clean, no_noise), (mean, noise) = ends
    torch.testing.assert_close(torch.tensor(clean), x.flatten())
    assert not any(no_noise)
    overall = torch.tensor(WEIGHTS) @ law(2).means
    torch.testing.assert_close(torch.tensor(mean).reshape(-1, 2), overall.expand(13, 2))
    torch.testing.assert_close(torch.tensor(noise), x.flatten())


def mulberry32(seed, n):
    """Tommy Ettinger's generator in 32 bits, as fractions of 2^32."""
    mask, out = 0xFFFFFFFF, []
    for _ in range(n):
        seed = (seed + 0x6D2B79F5) & mask
        z = ((seed ^ (seed >> 15)) * (seed | 1)) & mask
        z ^= (z + (z ^ (z >> 7)) * (z | 61)) & mask
        out.append((z ^ (z >> 14)) / 2**32)
    return out


def test_uniform_numbers_are_mulberry32_and_never_zero():
    seen = evaluated(
        """const { uniforms } = await import(W + "/random.mjs");
        tell(Array.from({ length: 101 }, uniforms(4294967291)));"""
    )
    assert seen == pytest.approx(mulberry32(4294967291, 101), abs=2**-32)
    assert min(seen) > 0


def test_normal_numbers_follow_their_seed_and_their_law():
    first, again, other = evaluated(
        """const { normals } = await import(W + "/random.mjs");
        tell([3, 3, 4].map((seed) => Array.from({ length: 20011 }, normals(seed))));"""
    )
    assert first == again != other
    z = torch.tensor(first)
    bar = 5 / len(z) ** 0.5  # five standard errors of a mean
    assert abs(z.mean()) < bar
    assert abs(z.square().mean() - 1) < bar * 2**0.5
    assert abs((z**4).mean() - 3) < bar * 96**0.5
    assert abs((z[1:] * z[:-1]).mean()) < bar
    assert abs((z < 1).double().mean() - torch.special.ndtr(torch.tensor(1.0))) < bar / 2
