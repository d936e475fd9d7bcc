"""Checkpoints that survive a kill: weights, moving average, optimizer and step in one safetensors file.

Nothing is ever unpickled. A file is written beside the old one, flushed to the disk and renamed over it, so
there is always one whole checkpoint; a digest over all bytes finds the flipped bit that the format does not.
"""

import errno
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .training import Trainer

FORMAT = "diffusion-lab checkpoint 1"


class CheckpointError(ValueError):
    """A sentence about a file that cannot be used, or written."""


def save(trainer: Trainer, path: Path, notes: dict[str, str] | None = None) -> None:
    """Replace the checkpoint at `path` by the trainer's present state, all or nothing. Notes go along."""
    tensors = {f"model.{k}": v for k, v in trainer.model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in trainer.averaged.state_dict().items()}
    tensors["ema_count"] = trainer.ema.n_averaged
    for i, state in trainer.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{k}": v for k, v in state.items()}
    about = {"format": FORMAT, "step": str(trainer.step), "recipe": recipe_of(trainer)}
    write(path, tensors, {**(notes or {}), **about})


def load(trainer: Trainer, path: Path) -> None:
    """Bring a fresh trainer to the state at `path`, or raise and leave it as it was."""
    tensors, about = read(path)
    if about.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a {about.get('format', 'file without a format')!r}: this version reads {FORMAT!r}."
        )
    same_run(path, about["recipe"], recipe_of(trainer))
    parts = {name: section(tensors, name) for name in ("model", "ema", "optimizer")}
    same_architecture(path, parts["model"], trainer.model)
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in parts["optimizer"].items():
        i, name = key.split(".", 1)
        states.setdefault(int(i), {})[name] = value
    trainer.model.load_state_dict(parts["model"])
    trainer.averaged.load_state_dict(parts["ema"])
    trainer.ema.n_averaged.copy_(tensors["ema_count"])
    groups = trainer.optimizer.state_dict()["param_groups"]
    trainer.optimizer.load_state_dict({"state": states, "param_groups": groups})
    trainer.step = int(about["step"])


def write(path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    """tensors and notes -> path, through a temporary file in the same folder."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{path.name}.*.part"):
            leftover.unlink()
        save_file(tensors, part, {**about, "digest": digest(tensors)})
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
        flush_folder(path.parent)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        full = "No space left" in str(error) or getattr(error, "errno", None) == errno.ENOSPC
        hint = "free some disk space" if full else "choose a folder you may write to"
        raise CheckpointError(
            f"the checkpoint {path} could not be written ({error}): {hint}; an older one there is untouched."
        ) from error


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and notes of a file, every bit of them verified."""
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}: check the path, or train first.")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({error}): use another copy or train again."
        ) from error
    if about.get("digest") != digest(tensors):
        raise CheckpointError(
            f"{path} is damaged: its contents do not match their checksum. Use another copy or train again."
        )
    return tensors, about


def digest(tensors: dict[str, Tensor]) -> str:
    """sha256 over names, shapes, types and bytes."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        sha.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        sha.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def section(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors under one name."""
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}


def same_architecture(path: Path, found: dict[str, Tensor], model: nn.Module) -> None:
    """Raise with the first difference between a file's tensors and a model's."""
    wanted = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    given = {k: tuple(v.shape) for k, v in found.items()}
    different = sorted(k for k in wanted.keys() | given.keys() if wanted.get(k) != given.get(k))
    if different:
        k = different[0]
        raise CheckpointError(
            f"{path} belongs to another architecture: {len(different)} tensors differ, first {k!r}, which is "
            f"{given.get(k, 'missing')} in the file and {wanted.get(k, 'missing')} in the model. "
            "Build the model with the settings it was trained with."
        )


def recipe_of(trainer: Trainer) -> str:
    """The recipe as text that can be compared."""
    return json.dumps(asdict(trainer.recipe), sort_keys=True)


def same_run(path: Path, found: str, wanted: str) -> None:
    """Raise where a resumed run would not be the same run."""
    before, now = json.loads(found), json.loads(wanted)
    changed = [f"{k} was {before.get(k)} and is now {now.get(k)}" for k in now if before.get(k) != now[k]]
    if changed:
        raise CheckpointError(
            f"{path} was trained with other settings: {'; '.join(changed)}. "
            "Resume with the old ones, train into a new folder, or start over (--fresh)."
        )


def flush_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no handle for folders and needs none."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
