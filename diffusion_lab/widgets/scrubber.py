"""The x_t scrubber: trajectories under a slider, drawn in the browser from a few kilobytes.

    scrub("Two moons", forward(process, x0, noise, ts), reverse(process, steps))
    scrub("Samplers", a.named("DDIM"), b.named("Heun"), choice="Sampler")

The HTML carries its data, its script and a picture for readers without scripts. It asks nobody for anything.
"""

import json
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .modules import asset, bundled
from .still import still
from .tracks import Track, to_bytes

SIDE = 280
FOLLOWED = 5


@dataclass(frozen=True, eq=False)
class Scrubber:
    """Tracks under one slider. In a notebook the object shows itself."""

    title: str
    tracks: list[Track]
    choice: str
    scene: list[Float[Tensor, "points 2"]]

    def __repr__(self) -> str:
        lengths = ", ".join(f"{t.name} {len(t.times)} steps" for t in self.tracks)
        return f"Scrubber({self.title!r}: {lengths}, {self.tracks[0].shape})"

    def html(self, name: str) -> str:
        """The widget as a page that starts the modules itself holds it."""
        return (
            f'<div class="dl-scrubber" id="{name}">{still(self.title, self.tracks[0])}'
            f'<script type="application/json">{self.to_json()}</script></div>'
        )

    def _repr_html_(self) -> str:
        name = f"dl-{uuid.uuid4().hex[:12]}"
        return (
            f"<style>{asset('scrubber.css')}</style>{self.html(name)}"
            f'<script type="module">{bundled("scrubber.mjs")}\n'
            f'render(document.getElementById("{name}"));</script>'
        )

    def to_json(self) -> str:
        """What the script reads. "<" is escaped, so no text can end the script element."""
        first = self.tracks[0]
        points, images = first.kind == "points", first.kind == "images"
        height, width = first.shape[-2:] if images else (0, 0)
        data = {
            "title": self.title,
            "kind": first.kind,
            "choice": self.choice,
            "side": SIDE,
            "followed": list(range(min(FOLLOWED, first.shape[0]))) if points else [],
            "points": first.shape[1] if first.kind == "paths" else 0,
            "scene": [to_bytes(line).flatten().tolist() for line in self.scene],
            "height": height,
            "width": width,
            "columns": math.ceil(first.shape[0] ** 0.5),
            "tracks": [t.to_json() for t in self.tracks],
        }
        return json.dumps(data).replace("<", "\\u003c")


def scrub(
    title: str,
    *tracks: Track,
    choice: str = "Direction",
    scene: Iterable[Float[Tensor, "points 2"]] = (),
) -> Scrubber:
    """A widget with one or more tracks of the same kind of data; `choice` says what tells them apart.

    scene: lines that stay, drawn dashed under paths.
    """
    if not tracks or len({(t.kind, t.shape) for t in tracks}) > 1:
        raise ValueError("a scrubber needs tracks, all with the same number of points, images or lines.")
    return Scrubber(title, list(tracks), choice, list(scene))
