"""Widgets: one ES module each, drawn in the browser, alive without a kernel."""

from .part import Part
from .scrubber import Scrubber, scrub
from .tracks import Track, forward, reverse, unmasking

__all__ = ["Part", "Scrubber", "Track", "forward", "reverse", "scrub", "unmasking"]
