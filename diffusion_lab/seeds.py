"""Randomness as a pure function of what it is for: no generator is carried from step to step."""

from hashlib import blake2b

import torch


def rng_at(purpose: str, seed: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of one purpose at one step of one seed: data and noise must not share a stream.

    Torch's CPU generator reads 32 bits of its seed. An odd multiplier maps steps to them one to one, so no
    two of 2^32 steps share a stream; hashing keeps purposes and neighbouring seeds apart.
    """
    start = int.from_bytes(blake2b(f"{purpose} {seed}".encode(), digest_size=4).digest(), "big")
    return torch.Generator(device).manual_seed((start + 0x9E3779B1 * step) % 2**32)
