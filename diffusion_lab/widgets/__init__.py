"""Widgets: one ES module each, drawn in the browser, alive without a kernel."""

from .scrubber import Scrubber, Track, forward, reverse, scrub

__all__ = ["Scrubber", "Track", "forward", "reverse", "scrub"]
