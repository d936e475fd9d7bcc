"""From what a trajectory model generates back to places."""

import torch

HINTS = (
    "Undo training's normalisation first, then go from metres per second to metres.",
    "A place is the sum of all the velocities so far, each times the seconds of one step.",
    "((v * std + mean) * dt), summed cumulatively along time, which is the axis before the last.",
)
BOOK = "modalities#trajectories"


def cases():
    rng = torch.Generator().manual_seed(0)
    mean, std = torch.tensor([9.0, 0.5]), torch.tensor([4.5, 2.5])
    for shape in ((5, 7, 2), (3, 2), (2, 3, 11, 2)):
        yield torch.randn(shape, generator=rng), mean, std, 0.25


def path_from_velocities(v, mean, std, dt):
    """Positions of a path that starts at the origin, from velocities that were normalised over the
    training set: v = (metres per second - mean) / std. v: (*n, t, 2). mean, std: (2,). dt: seconds.
    Returns (*n, t, 2)."""
    return ((v * std + mean) * dt).cumsum(-2)


def still_normalised(v, mean, std, dt):
    """The velocities are still normalised: multiply by std and add the mean before you sum."""
    return (v * dt).cumsum(-2)


def mean_added_once(v, mean, std, dt):
    """The mean is added to the place, once. It is a velocity: it belongs to every step of the sum."""
    return (v * std * dt).cumsum(-2) + mean


def seconds_missing(v, mean, std, dt):
    """You add velocities as if they were distances: each lasts dt seconds."""
    return (v * std + mean).cumsum(-2)


def over_coordinates(v, mean, std, dt):
    """The sum runs over x and y. It runs over time, the axis before the last."""
    return ((v * std + mean) * dt).cumsum(-1)


def not_summed(v, mean, std, dt):
    """These are the steps, not the places: each place is the sum of all steps so far."""
    return (v * std + mean) * dt
