"""What may watch a training run: generators that pass its records on.

for record in shown(saved(trainer.fit(), trainer, path), recipe.steps): ...
"""

import time
from collections.abc import Iterator
from pathlib import Path

from . import checkpoints
from .training import Record, Trainer


def saved(
    records: Iterator[Record],
    trainer: Trainer,
    path: Path,
    every: int = 500,
    notes: dict[str, str] | None = None,
) -> Iterator[Record]:
    """Write a checkpoint every so many steps and after the last one, in one process only."""
    for record in records:
        if trainer.fleet.process_index == 0 and (
            record.step % every == 0 or record.step == trainer.recipe.steps
        ):
            checkpoints.save(trainer, path, notes)
        yield record


def shown(records: Iterator[Record], steps: int, every: int = 20) -> Iterator[Record]:
    """A progress bar with loss, gradient norm, throughput and time left."""
    from tqdm.auto import tqdm

    with tqdm(total=steps, unit="step", dynamic_ncols=True) as bar:
        for record in records:
            if bar.n == 0 and record.step > 1:
                bar.update(record.step - 1)  # resumed
            bar.update()
            if record.step % every == 0 or record.step == steps:
                bar.set_postfix(loss=f"{record.loss:.4f}", grad=f"{record.grad_norm:.2f}", refresh=False)
            yield record


def logged(records: Iterator[Record], folder: Path, every: int = 10) -> Iterator[Record]:
    """TensorBoard scalars: loss, gradient norm, learning rate, steps per second."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError("TensorBoard is not installed: pip install 'diffusion-lab[train]'.") from error
    with SummaryWriter(folder) as writer:
        since, begin = time.perf_counter(), None
        for record in records:
            begin = record.step if begin is None else begin
            if record.step % every == 0:
                speed = (record.step - begin) / max(time.perf_counter() - since, 1e-9)
                writer.add_scalar("loss", float(record.loss), record.step)
                writer.add_scalar("grad_norm", float(record.grad_norm), record.step)
                writer.add_scalar("lr", record.lr, record.step)
                writer.add_scalar("steps_per_s", speed, record.step)
            yield record
