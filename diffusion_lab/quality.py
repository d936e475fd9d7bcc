"""How good a model is, measured the same way for cards, benchmarks and notebooks."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from . import zoo
from .data import load, load_digits
from .denoisers import Denoiser
from .generate import trajectory
from .grids import uniform
from .latent import encoded, psnr
from .metrics.images import frechet, precision_recall
from .metrics.points import sliced_wasserstein
from .samplers import euler, final
from .seeds import rng_at
from .tasks.latent import codec

NEIGHBOURS = 5
"""Of precision and recall. With the usual 3 the real halves cover only 0.90 of each other, with 5 0.95."""

POINTS = 2000


def of_points(name: str) -> dict[str, float]:
    """For the card of a toy."""
    return point_scores(point_samples(zoo.denoiser(name)), name)


@torch.no_grad()
def of_flow_map(name: str) -> dict[str, float]:
    """For the card of average velocities on a toy, by the number of calls."""
    model, data = zoo.denoiser(name), name.removesuffix("-meanflow")
    noise, scores = torch.randn(POINTS, 2, generator=rng_at("samples", 0, 0)), {}
    for n in (1, 2, 4):
        near = point_scores(final(euler(model.on(uniform(n)), noise, uniform(n))), data)
        scores[f"sliced_wasserstein_{n}"] = near["sliced_wasserstein"]
    return {**scores, "floor": near["floor"]}


def of_digits(name: str) -> dict[str, float]:
    """For the card of a model of 8 x 8 digits."""
    return digit_scores(*digit_samples(zoo.denoiser(name)))


@torch.no_grad()
def of_autoencoder(name: str) -> dict[str, float]:
    """For the card of an autoencoder: what it loses of digits it never saw."""
    model, (x, _) = zoo.denoiser(name), load_digits(32, "test")
    made, judge = model.decode(encoded(x, model)).clamp(-1, 1), zoo.classifier()
    same = judge(made).argmax(1) == judge(x).argmax(1)
    return {
        "psnr_db": round(psnr(x, made), 2),
        "same_class": round(same.double().mean().item(), 4),
        "scale": round(float(model.scale), 4),
    }


@torch.no_grad()
def of_latents(name: str) -> dict[str, float]:
    """For the card of a latent model: its digits, decoded and pooled to 8 x 8 for the classifier."""
    model, labels = zoo.denoiser(name), load_digits(32, "test")[1]
    z = final(trajectory(model, (len(labels), 4, 8, 8), labels, 10, rng=rng_at("samples", 0, 0)))
    return digit_scores(F.adaptive_avg_pool2d(codec().decode(z), 8), labels)


def point_samples(model: Denoiser, seed: int = 0, **how: Any) -> Float[Tensor, "n 2"]:
    """As many points as the scores compare."""
    return final(trajectory(model, (POINTS, 2), rng=rng_at("samples", seed, 0), **how))


def point_scores(samples: Float[Tensor, "n 2"], data: str) -> dict[str, float]:
    """Sliced 2-Wasserstein distance to fresh data, and its floor: between two fresh sets of the same size."""
    real, other = (load(data, split)[0][: len(samples)] for split in ("test", "train"))
    return {
        "sliced_wasserstein": round(sliced_wasserstein(real, samples), 4),
        "floor": round(sliced_wasserstein(real, other), 4),
    }


def digit_samples(
    model: Denoiser, seed: int = 0, **how: Any
) -> tuple[Float[Tensor, "n 1 8 8"], Int[Tensor, "n"]]:
    """One image for every test image's label, and those labels."""
    labels = load_digits(split="test")[1]
    shape = (len(labels), 1, 8, 8)
    return final(trajectory(model, shape, labels, 10, rng=rng_at("samples", seed, 0), **how)), labels


@torch.no_grad()
def digit_scores(samples: Float[Tensor, "n 1 8 8"], labels: Int[Tensor, "n"]) -> dict[str, float]:
    """Against the 896 test images in the shipped classifier's features.

    frechet_in_floors: the distance over its floor, that between 896 training and the 896 test images.
    accuracy: of the classifier on the samples, by the labels asked for.
    nearer_to_training: the share of samples nearer to a training than to a test image, 1/2 without memory.
    """
    judge, train, test = zoo.classifier(), load_digits(split="train")[0], load_digits(split="test")[0]
    samples = samples.clamp(-1, 1)
    real, seen, fake = (judge.features(x) for x in (test, train[: len(test)], samples))
    to_train, to_test = (torch.cdist(samples.flatten(1), x.flatten(1)).amin(1) for x in (train, test))
    precision, recall = precision_recall(real, fake, NEIGHBOURS)
    return {
        "frechet_in_floors": round(frechet(real, fake) / frechet(real, seen), 3),
        "accuracy": round((judge(samples).argmax(1) == labels).double().mean().item(), 4),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "nearer_to_training": round((to_train < to_test).double().mean().item(), 3),
    }
