"""--device, checked before anything is computed on it."""

import torch


def device(name: str) -> torch.device:
    """The device of that name, or a sentence if this machine or this torch does not have it."""
    try:
        found = torch.device(name)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ValueError(
            f"--device {name} cannot be used here ({reason}): leave it out for the CPU."
        ) from error
    return found
