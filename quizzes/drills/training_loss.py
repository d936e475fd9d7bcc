"""One training step of noise prediction."""

import torch

HINTS = (
    "The network may see x_t and t, nothing else, and is compared with the noise that made x_t.",
    "Mix x_t = a x0 + sigma eps with one a and one sigma per example, and ask the network for eps.",
    "(net(x, t) - eps).square().flatten(1).mean(1), after a and sigma got the shape (b, 1, ..., 1).",
)
BOOK = "objective#training-step"


def cases():
    def net(x, t):
        return torch.sin(2 * x) + t.view(-1, *[1] * (x.ndim - 1)) * x

    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 2), (3, 3), (7, 1, 3, 5)):
        x0, eps = torch.randn(2, *shape, generator=rng)
        t = 0.1 + 0.8 * torch.rand(shape[0], generator=rng)
        yield net, x0, t, eps, (1 - t**2).sqrt(), t


def training_loss(net, x0, t, eps, a, sigma):
    """One loss per example, mean over its values. net: (x_t, t) -> eps_hat, shaped like x_t.
    x0, eps: (b, *d). t, a, sigma: (b,). Returns (b,)."""
    a, sigma = (k.view(-1, *[1] * (x0.ndim - 1)) for k in (a, sigma))
    x = a * x0 + sigma * eps
    return (net(x, t) - eps).square().flatten(1).mean(1)


def clean_input(net, x0, t, eps, a, sigma):
    """The network is shown x_0. It must see the noisy x_t: clean data hold no noise to predict."""
    return (net(x0, t) - eps).square().flatten(1).mean(1)


def against_the_data(net, x0, t, eps, a, sigma):
    """The output is compared with x_0: the network learns the data, and a sampler that reads noise fails."""
    return training_loss(lambda x, t: net(x, t) - x0 + eps, x0, t, eps, a, sigma)


def against_the_input(net, x0, t, eps, a, sigma):
    """The output is compared with x_t: the network can copy its input and learns nothing."""
    own_a, own_sigma = (k.view(-1, *[1] * (x0.ndim - 1)) for k in (a, sigma))
    x = own_a * x0 + own_sigma * eps
    return (net(x, t) - x).square().flatten(1).mean(1)


def no_time(net, x0, t, eps, a, sigma):
    """The network is told t = 0 for every example: it cannot know how much noise to look for."""
    return training_loss(lambda x, t: net(x, torch.zeros_like(t)), x0, t, eps, a, sigma)


def one_number(net, x0, t, eps, a, sigma):
    """You average over the batch too. One value per example lets you plot the loss against t."""
    return training_loss(net, x0, t, eps, a, sigma).mean()


def summed(net, x0, t, eps, a, sigma):
    """You sum over an example's values. The mean keeps the learning rate independent of the image's size."""
    return training_loss(net, x0, t, eps, a, sigma) * x0[0].numel()


def amplitudes_rooted(net, x0, t, eps, a, sigma):
    """a and sigma are amplitudes already: the root belongs to alpha-bar, which is a share of the variance."""
    return training_loss(net, x0, t, eps, a.sqrt(), sigma.sqrt())
