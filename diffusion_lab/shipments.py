"""Every model that ships: what it learned from, how it is trained, how it is measured once in place."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from . import judged, latent, planning, quality, zoo
from .data import TOYS, load_digits, styled
from .judge_digits import judge_scores, trained_classifier
from .runs import shown
from .tasks import TASKS, few_steps
from .tasks import text as texts
from .tasks import trajectories as paths
from .text import scores as text_scores


class Shipment(NamedTuple):
    """data: a sentence for the card. train: -> what ships, and its steps. measure: of the shipped file."""

    data: str
    train: Callable[[], tuple[nn.Module, int]]
    measure: Callable[[], dict[str, float]]


def trained(name: str) -> tuple[nn.Module, int]:
    """The averaged model of a task, or the part of it that ships, and its steps."""
    task = TASKS[name]
    trainer = task.trainer()
    for _ in shown(trainer.fit(), task.recipe.steps):
        pass
    return task.part(trainer.averaged), task.recipe.steps


def calibrated(name: str) -> tuple[nn.Module, int]:
    """An autoencoder with its scale factor measured on the training digits."""
    model, steps = trained(name)
    latent.calibrate(model, load_digits(32, "train")[0])  # type: ignore[arg-type]
    return model, steps


def task_shipment(data: str, measure: Callable[[str], dict[str, float]], *names: str) -> dict[str, Shipment]:
    """Tasks that differ in their names alone."""
    return {name: Shipment(data, partial(trained, name), partial(measure, name)) for name in names}


PLANE = "a law in the plane, drawn afresh at every step"
DIGITS = "scikit-learn's digits, 901 training images of 8 x 8"
EVERY = "a drawn world of 150 combinations, drawn afresh at every step"
WORLD = "a drawn world of 150 combinations, 124 of them in training, drawn afresh at every step"
STYLED = "scikit-learn's digits, 901 training images at 16 x 16, with style words in 180 combinations"

SHIPMENTS: dict[str, Shipment] = {
    "digits-classifier": Shipment(DIGITS, trained_classifier, judge_scores),
    **task_shipment(PLANE, quality.of_points, *TOYS),
    **task_shipment(PLANE, quality.of_flow_map, *few_steps.TASKS),
    **task_shipment(DIGITS, quality.of_digits, "digits", "digits-eps", "digits-page"),
    "digits32-vae": Shipment(
        "scikit-learn's digits, 901 training images enlarged to 32 x 32",
        partial(calibrated, "digits32-vae"),
        partial(quality.of_autoencoder, "digits32-vae"),
    ),
    **task_shipment(
        "latents of scikit-learn's digits, 901 training images of 32 x 32, by digits32-vae",
        quality.of_latents,
        "digits32-latent",
    ),
    **task_shipment(WORLD, judged.of_painter, "drawn"),
    "drawn-judge": Shipment(EVERY, partial(trained, "drawn-judge"), judged.judge_accuracy),
    **task_shipment(f"{STYLED}, 152 of them in training", judged.of_painter, "digits-styled"),
    "digits-styled-judge": Shipment(
        STYLED,
        partial(trained, "digits-styled-judge"),
        partial(judged.judge_accuracy, world=styled.WORLD),
    ),
    "drawn-control": Shipment(
        f"{WORLD}, with outlines; the base is the shipped model drawn",
        partial(trained, "drawn-control"),
        judged.of_control,
    ),
    **task_shipment(
        "every day of 2024 to 2027 in two spellings, nine tenths of the 1461 sentences",
        lambda name: text_scores.of_shipped(zoo.denoiser(name), name),
        *texts.TASKS,
    ),
    **task_shipment("futures, drawn afresh at every step", planning.of_shipped, *paths.TASKS),
}
