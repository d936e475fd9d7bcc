"""What can be trained by name: data, network, path, target and recipe in one place.

`zoo.py` keeps the results.
"""

from dataclasses import replace
from typing import Any

from ..errors import lookup
from . import captions, few_steps, images, latent, pictured, text, trajectories
from .images import folder_task
from .task import Task

ROOMS = (images, few_steps, latent, captions, pictured, text, trajectories)
TASKS: dict[str, Task] = {name: task for room in ROOMS for name, task in room.TASKS.items()}

__all__ = ["TASKS", "Task", "folder_task", "task_named"]


def task_named(name: str, **changes: Any) -> Task:
    """The task of that name, with some of its recipe changed."""
    task = lookup(name, TASKS, "task")
    return replace(task, recipe=replace(task.recipe, **changes))
