"""Put the known part back, at the right noise level."""

import torch

HINTS = (
    "x_s is noisy everywhere. The known picture is clean: it lacks something before it may go in.",
    "Noise the known picture to the level of x_s, then choose by the mask: 1 is known.",
    "mask * (a * known + sigma * eps) + (1 - mask) * made, with the known picture still clean.",
)
BOOK = "conditioning#inpainting"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, a in (((3, 1, 5, 7), 0.8), ((2, 3, 7, 3), 0.28)):
        made, known, eps = torch.randn(3, *shape, generator=rng)
        mask = (torch.rand(shape[0], 1, *shape[2:], generator=rng) < 0.6).to(made)
        yield made, known, mask, eps, a, (1 - a**2) ** 0.5


def keep_known(made, known, mask, eps, a, sigma):
    """x_s of an inpainting step. made: x_s from the sampler. known: clean, to be kept where mask is 1.
    a, sigma: of the level s. eps: fresh noise."""
    return mask * (a * known + sigma * eps) + (1 - mask) * made


def pasted_clean(made, known, mask, eps, a, sigma):
    """The known part goes in clean: the network is told level s and sees a region without noise."""
    return mask * known + (1 - mask) * made


def mask_turned_round(made, known, mask, eps, a, sigma):
    """The mask is turned round: 1 is known here, and only 0 may be made."""
    return keep_known(made, known, 1 - mask, eps, a, sigma)


def noised_again(made, known, mask, eps, a, sigma):
    """The made part gets noise a second time. The sampler's x_s has its noise already."""
    return a * (mask * known + (1 - mask) * made) + sigma * eps


def not_scaled(made, known, mask, eps, a, sigma):
    """The signal's factor a is missing: q(x_s | x_0) shrinks the picture while it adds noise."""
    return mask * (known + sigma * eps) + (1 - mask) * made


def mixed_levels(made, known, mask, eps, a, sigma):
    """Both are added up: outside the mask the known picture has no say."""
    return mask * (a * known + sigma * eps) + made
