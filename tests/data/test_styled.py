"""Digits with style words: what the transforms do to ink whose law is known, and whose digits are drawn."""

import pytest
import torch

from diffusion_lab.data import load_digits, styled
from diffusion_lab.data.styled import WORLD, sheared, weighted

SCENES = WORLD.all_scenes()
HERE = torch.zeros(1, 2, dtype=torch.float64)


def points() -> torch.Tensor:
    """(x, y) of the centres of 61 x 61 pixels, in units of half the frame."""
    line = (2 * torch.arange(61.0) + 1) / 61 - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)


def blob(sxx: float, sxy: float, syy: float) -> torch.Tensor:
    """Ink in the form of a Gaussian with that covariance."""
    cov = torch.tensor([[sxx, sxy], [sxy, syy]])
    return torch.exp(-0.5 * torch.einsum("yxi,ij,yxj->yx", points(), cov.inverse(), points()))[None, None]


def moments(ink: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance of the place (x, y) of the ink."""
    places, share = points().flatten(0, 1), (ink / ink.sum()).flatten()
    mean = share @ places
    return mean, ((places - mean) * share[:, None]).T @ (places - mean)


def per_picture(*values: float) -> list[torch.Tensor]:
    return [torch.tensor([value]) for value in values]


def test_no_slant_at_full_size_and_no_stroke_change_nothing(rng):
    ink = torch.rand(3, 1, 11, 13, generator=rng)
    zero, one = torch.zeros(3), torch.ones(3)
    torch.testing.assert_close(sheared(ink, zero, one, torch.zeros(3, 2)), ink)
    assert weighted(ink, zero).equal(ink)


@pytest.mark.parametrize(("slant", "scale", "centre"), [(0.37, 1.0, (0.0, 0.0)), (-0.3, 0.7, (0.17, -0.05))])
def test_the_moments_of_the_ink_are_those_of_the_map(slant, scale, centre):
    # x' = scale (x - slant y) + x_c and y' = scale y + y_c; y points down, so the top goes right.
    mean, cov = moments(sheared(blob(0.02, 0.005, 0.03), *per_picture(slant, scale), torch.tensor([centre])))
    maps = scale * torch.tensor([[1.0, -slant], [0.0, 1.0]])
    wanted = maps @ torch.tensor([[0.02, 0.005], [0.005, 0.03]]) @ maps.T
    torch.testing.assert_close(mean, torch.tensor(centre), atol=1e-3, rtol=0)
    # Bilinear reading adds up to a quarter of a pixel's square to a variance.
    torch.testing.assert_close(cov, wanted, atol=(2 / 61) ** 2 / 4, rtol=0)


def test_a_sheared_picture_is_sheared_back():
    ink = blob(0.02, 0.005, 0.03)
    there = sheared(ink, *per_picture(0.4, 1.0), HERE)
    back = sheared(there, *per_picture(-0.4, 1.0), HERE)
    assert (there - ink).abs().max() > 0.15
    assert (back - ink).abs().max() < 0.02


@pytest.mark.parametrize(("stroke", "area"), [(-1.0, 3 * 5), (-0.5, 25), (0.0, 5 * 7), (0.9, 35 + 0.9 * 28)])
def test_a_stroke_is_a_border_of_so_many_pixels(stroke, area):
    ink = torch.zeros(1, 1, 17, 19)
    ink[..., 4:9, 6:13] = 1
    assert float(weighted(ink, *per_picture(stroke)).sum()) == pytest.approx(area)


def test_thin_is_within_plain_is_within_bold_and_dim_is_half_as_bright():
    def drawn(stroke: int, shade: int) -> torch.Tensor:
        scenes = torch.tensor([[stroke, 2, shade, digit] for digit in range(10)])
        return (styled.render(scenes, torch.Generator().manual_seed(5)) + 1) / 2

    thin, plain, bold, dim = drawn(0, 1), drawn(1, 1), drawn(2, 1), drawn(1, 0)
    assert (thin <= plain).all()
    assert (plain <= bold).all()
    assert (1.3 * thin.sum((1, 2, 3)) < plain.sum((1, 2, 3))).all()
    assert (1.3 * plain.sum((1, 2, 3)) < bold.sum((1, 2, 3))).all()
    shade = dim.sum((1, 2, 3)) / plain.sum((1, 2, 3))
    assert ((shade >= 0.42 / 0.92) & (shade <= 0.5)).all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_handwriting_is_of_its_split_and_class_from_the_first_image_to_the_last(split):
    x, labels = load_digits(32, split)
    for digit in (0, 7):
        own = (x[labels == digit] + 1) / 2
        u = torch.tensor([0.0, 0.5, 1 - 2**-53])
        seen = styled.handwriting(torch.full((3,), digit), u, split)
        torch.testing.assert_close(seen, own[[0, len(own) // 2, -1]])


def test_measuring_draws_other_images_than_training(rng):
    assert (WORLD.render, WORLD.unseen.keywords) == (styled.render, {"split": "test"})
    scenes = SCENES[::17]
    seed = torch.Generator().manual_seed(3)
    seen, unseen = WORLD.render(scenes, seed), WORLD.unseen(scenes, torch.Generator().manual_seed(3))
    assert seen.shape == unseen.shape == (11, 1, 16, 16)
    assert (seen - unseen).abs().amax((1, 2, 3)).min() > 0.1
    assert min(float(seen.min()), float(unseen.min())) == -1
    assert max(float(seen.max()), float(unseen.max())) <= 1
