"""Does it copy? A share with a control."""

import torch

HINTS = (
    "A distance alone says nothing: compare it with the distance to real images the model has never seen.",
    "For each sample: the distance to the nearest training image, and to the nearest held-out one.",
    "(torch.cdist(s, a).amin(1) < torch.cdist(s, b).amin(1)).double().mean().item(), on flattened images.",
)
BOOK = "memorisation#audit"


def cases():
    rng = torch.Generator().manual_seed(0)
    # Powers of two in n: a share of them is exact in any precision that a learner averages in.
    for n, m, shape in ((16, 7, (3,)), (32, 11, (1, 2, 3)), (64, 5, (2,))):
        train, test = torch.randn(2, m, *shape, generator=rng)
        yield torch.randn(n, *shape, generator=rng), train, test + 0.2


def nearer_to_training(samples, train, test):
    """Share of samples whose nearest training image is nearer than their nearest held-out one. All (n, *d),
    train and test with as many images each. A model without memory: 1/2. Returns a number."""
    samples, train, test = (x.flatten(1) for x in (samples, train, test))
    nearer = torch.cdist(samples, train).amin(1) < torch.cdist(samples, test).amin(1)
    return nearer.double().mean().item()


def sets_exchanged(samples, train, test):
    """That is the share nearer to the held-out images: a copying model would get 0."""
    return 1 - nearer_to_training(samples, train, test)


def mean_distance(samples, train, test):
    """You compare mean distances to the sets. A copy is near one image: take the nearest."""
    samples, train, test = (x.flatten(1) for x in (samples, train, test))
    nearer = torch.cdist(samples, train).mean(1) < torch.cdist(samples, test).mean(1)
    return nearer.double().mean().item()


def from_the_training_side(samples, train, test):
    """You ask for each training image whether a sample is near. Ask for each sample."""
    samples, train, test = (x.flatten(1) for x in (samples, train, test))
    nearer = torch.cdist(train, samples).amin(1) < torch.cdist(test, samples).amin(1)
    return nearer.double().mean().item()


def no_control(samples, train, test):
    """That is a distance without a control: new images lie at some distance from the training set, too."""
    return torch.cdist(samples.flatten(1), train.flatten(1)).amin(1).double().mean().item()
