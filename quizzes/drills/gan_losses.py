"""The two losses of a GAN."""

import torch
import torch.nn.functional as F

HINTS = (
    "The critic gives logits. -log sigmoid(l) is softplus(-l), and -log(1 - sigmoid(l)) is softplus(l).",
    "The critic wants real logits high and fake ones low. The generator wants fake ones high.",
    "critic: softplus(-real).mean() + softplus(fake).mean(); generator: softplus(-fake).mean().",
)
BOOK = "comparison#gan"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, m in ((5, 5), (7, 3), (2, 11)):
        yield 1 + torch.randn(n, generator=rng), -1 + 2 * torch.randn(m, generator=rng)


def gan_losses(real, fake):
    """(critic's loss, generator's loss) from the critic's logits on real (n,) and generated (m,) points.
    Non-saturating, means over points."""
    critic = F.softplus(-real).mean() + F.softplus(fake).mean()
    return critic, F.softplus(-fake).mean()


def saturating(real, fake):
    """The generator minimises log(1 - D): true to the game, but flat where the critic is sure of a fake."""
    return gan_losses(real, fake)[0], -F.softplus(fake).mean()


def labels_exchanged(real, fake):
    """The critic's labels are exchanged: real points should get high logits."""
    return gan_losses(-real, -fake)[0], gan_losses(real, fake)[1]


def generator_against_itself(real, fake):
    """The generator has the critic's goal: it is paid for being recognised as a fake."""
    return gan_losses(real, fake)[0], F.softplus(fake).mean()


def real_left_out(real, fake):
    """The critic never sees real points: it would call everything a fake."""
    return F.softplus(fake).mean(), gan_losses(real, fake)[1]


def squashed_twice(real, fake):
    """Sigmoid is applied before a loss that expects logits: it is applied twice."""
    return gan_losses(real.sigmoid(), fake.sigmoid())


def halved(real, fake):
    """The critic's loss is halved. The mean over real points and the mean over fakes are added."""
    critic, generator = gan_losses(real, fake)
    return critic / 2, generator
