"""A live part of a page: an ES module of this folder, what it reads, and its picture without scripts."""

import base64
import html
import io
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .modules import asset, bundled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Part:
    """In a notebook the object shows itself.

    module: a file of this folder with `export default { render }`; render({ el, model }) builds the part in
        `el`, and model.get(name) reads `data`.
    figure, alt: what stands there without scripts, and what it says.
    """

    module: str
    title: str
    data: dict[str, Any]
    figure: "Figure"
    alt: str

    def __repr__(self) -> str:
        return f"Part({self.title!r}, {self.module})"

    def html(self, name: str) -> str:
        """The part as a page that starts the modules itself holds it."""
        picture = f'<img class="dl-still" alt="{html.escape(self.alt)}" src="{data_url(self.figure)}">'
        data = json.dumps(self.data).replace("<", "\\u003c")
        return (
            f'<div class="dl-anywidget" id="{name}" data-module="{self.module}">{picture}'
            f'<script type="application/json">{data}</script></div>'
        )

    def _repr_html_(self) -> str:
        name = f"dl-{uuid.uuid4().hex[:12]}"
        return (
            f"<style>{asset('live.css')}</style>{self.html(name)}"
            f'<script type="module">{bundled("controls.mjs", self.module)}\n'
            f'mount(document.getElementById("{name}"), {{ render }});</script>'
        )


def data_url(figure: "Figure") -> str:
    """A figure as a PNG of 32 colours inside the page."""
    from PIL import Image

    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
    Image.open(buffer).convert("RGB").quantize(32).save(small, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(small.getvalue()).decode()
