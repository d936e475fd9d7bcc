"""Notebooks in one canonical form, so that running one changes nothing in git.

    python -m diffusion_lab.notebooks fmt [--check]     write (or verify) the canonical form
    python -m diffusion_lab.notebooks record            run, and keep the outputs that tests compare

Canonical: cell ids NAME-000, NAME-001, ...; no metadata but tags; one kernel; outputs only on cells tagged
`nbval-check-output`, text only, with execution counts in order; everything else empty.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("notebooks")
COMPARED = "nbval-check-output"
MOST_BYTES = 100_000
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

Notebook = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Format, verify or record all notebooks of the folder, or those named."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_lab.notebooks", description=__doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if something would change")
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_intermixed_args(argv)
    files = args.files or sorted(FOLDER.glob("*.ipynb"))
    changed = [file for file in files if not written(file, ACTIONS[args.action](file), args.check)]
    for file in changed:
        print(f"{file}: {'not in canonical form' if args.check else 'written'}")
    return int(args.check and bool(changed))


def formatted(file: Path) -> str:
    """The canonical text of a notebook."""
    import nbformat

    notebook = canonical(nbformat.read(file, 4), file.stem.split("_")[0])
    return str(nbformat.writes(notebook)) + "\n"


def recorded(file: Path) -> str:
    """The same after a fresh run, with the outputs that are compared."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(file, 4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", coalesce_streams=True).execute()
    return str(nbformat.writes(canonical(notebook, file.stem.split("_")[0]))) + "\n"


ACTIONS = {"fmt": formatted, "record": recorded}


def canonical(notebook: Notebook, name: str) -> Notebook:
    """In place: ids, tags, kernel and outputs as the module says."""
    notebook["metadata"] = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook["nbformat_minor"] = 5
    count = 0
    for i, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{name}-{i:03d}"
        tags = cell["metadata"].get("tags", [])
        cell["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            count += 1
            kept = COMPARED in tags
            cell["outputs"] = [plain(output, count) for output in cell["outputs"]] if kept else []
            cell["execution_count"] = count if kept and cell["outputs"] else None
    return notebook


def plain(output: dict[str, Any], count: int) -> dict[str, Any]:
    """An output as text and nothing else."""
    if output["output_type"] == "execute_result":
        output["execution_count"] = count
    if "data" in output:
        output["data"] = {"text/plain": output["data"]["text/plain"]}
        output["metadata"] = {}
    return output


def written(file: Path, text: str, check: bool) -> bool:
    """True if the file holds that text already; else it is written, unless only checked."""
    if file.read_text(encoding="utf-8") == text:
        return True
    if not check:
        file.write_text(text, encoding="utf-8")
    return False


if __name__ == "__main__":
    sys.exit(main())
