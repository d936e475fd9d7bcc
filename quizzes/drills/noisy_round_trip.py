"""Through the latent and back, scale factor included."""

import torch

HINTS = (
    "Write the size of a value behind every step. The schedule expects size 1, the decoder the encoder's.",
    "Multiply by the scale once, before any noise. Divide by it once, right before the decoder.",
    "z = scale * encode(x); z_t = a z + sigma eps; z0 = (z_t - sigma eps_hat(z_t)) / a; decode(z0 / scale).",
)
BOOK = "latent#scale-factor"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, n, k, scale, a in ((5, 7, 3, 0.18, 0.8), (3, 11, 5, 1.5, 0.6), (2, 5, 5, 0.36, 0.28)):
        w = torch.randn(n, k, generator=rng)
        x, eps = torch.randn(b, n, generator=rng), torch.randn(b, k, generator=rng)

        def encode(x, w=w):
            return torch.tanh(x @ w) + 0.5

        def decode(z, w=w):
            return torch.tanh(z @ w.T)

        yield encode, decode, torch.sin, x, eps, scale, a, (1 - a**2) ** 0.5


def noisy_round_trip(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """Encode x, noise its latent at (a, sigma), predict the noise with eps_hat(z_t), decode the clean guess.
    scale: 1 / deviation of the raw latents encode(x). x: (b, n). Returns (b, n)."""
    z_t = a * scale * encode(x) + sigma * eps
    z0 = (z_t - sigma * eps_hat(z_t)) / a
    return decode(z0 / scale)


def not_divided(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """The decoder gets scaled latents. It learned the encoder's own: divide by the scale before it."""
    return noisy_round_trip(encode, lambda z: decode(z * scale), eps_hat, x, eps, scale, a, sigma)


def multiplied_twice(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """You multiply by the scale on the way out as well. What was multiplied must be divided."""
    return noisy_round_trip(encode, lambda z: decode(z * scale**2), eps_hat, x, eps, scale, a, sigma)


def never_scaled(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """The scale does not enter: the network sees raw latents, whose noise level is not the schedule's."""
    return noisy_round_trip(encode, decode, eps_hat, x, eps, 1.0, a, sigma)


def scaled_after_noise(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """The noise was scaled too: multiply the latent alone, then mix in noise of deviation sigma."""
    return noisy_round_trip(encode, decode, eps_hat, x, scale * eps, scale, a, sigma)


def divided_on_the_way_in(encode, decode, eps_hat, x, eps, scale, a, sigma):
    """The scale is turned round: it is one over the deviation, so multiplying gives unit variance."""
    return noisy_round_trip(encode, decode, eps_hat, x, eps, 1 / scale, a, sigma)
