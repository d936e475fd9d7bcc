"""A Content-Security-Policy in every page: files of the site, workers made from them, and the scripts that
stood in the page when it was built. Whatever is put in later does not run, and no other host is asked.
"""

import base64
import hashlib
import re

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*json)[^>]*>(.+?)</script>", re.DOTALL)
_HEAD = re.compile(r"(<head>\s*(?:<meta charset=[^>]*>)?)")
RULES = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "style-src": "'self' 'unsafe-inline'",  # KaTeX places its boxes with style attributes
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def guarded(page: str) -> str:
    """A page with its policy first in its head; a page without a head, or with a policy, stays."""
    if 'http-equiv="Content-Security-Policy"' in page:
        return page
    rules = {**RULES, "script-src": " ".join(["'self'", *hashes(page)])}
    policy = "; ".join(f"{name} {allowed}" for name, allowed in rules.items())
    return _HEAD.sub(rf'\1<meta http-equiv="Content-Security-Policy" content="{policy}">', page, count=1)


def hashes(page: str) -> list[str]:
    """The scripts of a page, as a policy names them."""
    return [f"'sha256-{digest(script)}'" for script in dict.fromkeys(_INLINE.findall(page))]


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
