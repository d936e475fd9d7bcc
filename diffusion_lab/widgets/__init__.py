"""Widgets: one ES module each, drawn in the browser, alive without a kernel."""

from .scrubber import Scrubber, scrub
from .tracks import Track, forward, reverse, unmasking

__all__ = ["Scrubber", "Track", "forward", "reverse", "scrub", "unmasking"]
