"""Few-step models that ship: points by average velocities, in one or two calls."""

from functools import partial

from torch import nn

from ..data import training_batches
from ..grids import uniform_law
from ..meanflow import FlowMap, MeanFlow
from ..models.flowmap import FlowMapMLP
from ..training import Recipe
from .task import Task


def flow_map() -> nn.Module:
    """A network of two times. Half the width of the flow models: the training differentiates it twice, and
    on a law in the plane the larger one is no better for the same minutes."""
    return FlowMap(FlowMapMLP((2,), width=64, depth=3))


def mean_flow(data: str) -> Task:
    """Average velocities from data alone, without a teacher."""
    return Task(
        name=f"{data}-meanflow",
        batches=partial(training_batches, data),
        shape=(2,),
        model=flow_map,
        objective=partial(MeanFlow, law=uniform_law(0.0)),
        recipe=Recipe(steps=10_000, lr=3e-3),
        batch=256,
    )


TASKS: dict[str, Task] = {"gauss8-meanflow": mean_flow("gauss8")}
