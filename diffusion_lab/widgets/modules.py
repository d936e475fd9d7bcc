"""The files of this folder: an ES module alone, or with all that it imports as one script."""

import re
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+\.mjs)";\n', re.MULTILINE)
_DEFAULT = re.compile(r"^export default .*\n", re.MULTILINE)


def asset(name: str) -> str:
    """A file of this folder."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def bundled(*names: str) -> str:
    """Modules after everything that they import, for hosts that hand out no files.

    All of them share one scope, so what stands at the top of the files has names of its own.
    """
    texts: dict[str, str] = {}

    def gather(name: str) -> None:
        if name in texts:
            return
        source = asset(name)
        for needed in _IMPORT.findall(source):
            gather(needed)
        texts[name] = _DEFAULT.sub("", _IMPORT.sub("", source))

    for name in names:
        gather(name)
    return "\n".join(texts.values())
