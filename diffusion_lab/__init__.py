"""Diffusion models you can read, run, watch and be interviewed about.

Importing this package costs milliseconds: torch loads when a torch-backed name is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "schedules": ["VP", "Cosine", "VE", "Flow", "Shifted", "Table"],
    "targets": ["Prediction"],
    "processes": ["Gaussian", "Categorical"],
    "denoisers": ["Denoiser", "LearnedVariance", "TokenDenoiser", "given"],
    "steps": ["Step", "final"],
    "samplers": [
        "ancestral", "consistency", "ddim", "dpmpp_2m", "euler", "euler_maruyama", "heun", "invert",
        "langevin", "unipc",
    ],
    "guidance": ["cfg", "extrapolate"],
    "oracles": ["GaussianMixture", "Points", "TokenTable"],
}  # fmt: skip
_NAMES = {name: room for room, names in _HOME.items() for name in names}
__all__ = sorted(_NAMES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
