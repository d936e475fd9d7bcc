"""Notebooks: canonical, small, clean, and what they print is what they say they print."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diffusion_lab import notebooks

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)


def cells(file, kind="code"):
    return [c for c in json.loads(file.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == kind]


@each_notebook
def test_a_notebook_is_canonical_and_small(file):
    assert notebooks.formatted(file) == file.read_text(encoding="utf-8")
    assert file.stat().st_size <= notebooks.MOST_BYTES


def test_formatting_removes_what_a_session_leaves(tmp_path):
    file = tmp_path / "01_x.ipynb"
    raw = json.loads(FILES[0].read_text(encoding="utf-8"))
    raw["metadata"]["widgets"] = {"state": {}}
    for i, cell in enumerate(raw["cells"]):
        cell["id"] = f"random{i}"
        cell["metadata"]["execution"] = {"iopub.execute_input": "now"}
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7 + i
            cell["outputs"] = cell["outputs"] or [
                {
                    "output_type": "display_data",
                    "data": {"text/html": "<b>", "text/plain": "b"},
                    "metadata": {},
                }
            ]
    file.write_text(json.dumps(raw), encoding="utf-8")
    assert notebooks.main(["fmt", "--check", str(file)]) == 1
    assert notebooks.main(["fmt", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == FILES[0].read_text(encoding="utf-8")
    assert notebooks.main(["fmt", "--check", str(file)]) == 0


@each_notebook
def test_the_set_up_cell_is_the_same_everywhere(file):
    first = next(c for c in cells(file) if "setup" in c["metadata"].get("tags", []))
    other = next(c for c in cells(FILES[0]) if "setup" in c["metadata"].get("tags", []))
    assert first["source"] == other["source"]


@each_notebook
def test_compared_cells_have_something_to_compare(file):
    compared = [c for c in cells(file) if notebooks.COMPARED in c["metadata"].get("tags", [])]
    assert len(compared) >= 3
    assert all(c["outputs"] and c["execution_count"] for c in compared)


@each_notebook
def test_no_path_token_or_foreign_host_is_in_a_notebook(file):
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/root/|/Users/|C:\\\\|token=", text)
    for host in re.findall(r"https?://([^/\s\"')]+)", text):
        assert host in {"github.com", "colab.research.google.com", "arxiv.org"}


def nbval(folder):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval-lax",
        "--nbval-current-env",
    ]
    command += ["--nbval-cell-timeout=120", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_and_prints_what_is_stored(file, tmp_path):
    shutil.copy(file, tmp_path)
    run = nbval(tmp_path)
    assert run.returncode == 0, run.stdout[-3000:]


@pytest.mark.slow
def test_a_falsified_output_is_found(tmp_path):
    # Every compared cell of the first notebook, its first digit changed: each must fail.
    text = json.loads(FILES[0].read_text(encoding="utf-8"))
    falsified = 0
    for cell in text["cells"]:
        for output in cell.get("outputs", []):
            line = "".join(output["text"])
            output["text"] = re.sub(r"\d", lambda m: str((int(m[0]) + 1) % 10), line, count=1)
            falsified += 1
    (tmp_path / FILES[0].name).write_text(json.dumps(text), encoding="utf-8")
    run = nbval(tmp_path)
    assert run.returncode == 1
    assert f"{falsified} failed" in run.stdout
