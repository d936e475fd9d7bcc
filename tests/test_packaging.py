"""The wheel and the source archive: nothing missing, nothing else, and the wheel runs on its own."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import diffusion_lab
from diffusion_lab.setup.steps import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with both archives; the wheel is made from the source archive, so that one is complete."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def files_of(folder):
    """Every file that belongs there, relative to the repository; lab.py's own rooms stay at home."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.parent.name != "setup")
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_package_and_the_quizzes_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    quizzes = {"diffusion_lab/_" + name for name in files_of("quizzes")}
    assert held == files_of("diffusion_lab") | quizzes
    assert "diffusion_lab/py.typed" in held


def test_the_source_archive_holds_the_course_and_nothing_of_this_machine(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"lab.py", "constraints.txt", "environment.yml", "README.md", "tests/conftest.py"} <= held
    parts = {part for name in held for part in Path(name).parts}
    assert not parts & {".venv", ".lab", ".git", "__pycache__", "runs", "_build"}


def test_metadata_is_what_an_installer_and_a_reader_need(metadata):
    assert metadata["Version"] == diffusion_lab.__version__
    assert metadata["License-Expression"] == "Apache-2.0 AND CC-BY-4.0"
    assert metadata.get_all("License-File") == ["LICENSE", "LICENSE-CONTENT"]
    assert metadata.get_all("Provides-Extra") == sorted(
        ["notebooks", "book", "node", "train", "anki", "test", "dev"]
    )
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}


def test_the_metadata_leaves_colabs_torch_alone(metadata):
    requirements = metadata.get_all("Requires-Dist")
    assert "torch>=2.6" in requirements
    assert not [requirement for requirement in requirements if "==" in requirement.partition(";")[0]]


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A fresh environment with the wheel; what it depends on is lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("an other place")
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    install = [*pip, "install", "--no-index", "--no-deps", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(packages) / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return scripts


def run(command, folder):
    """From a folder without a checkout, with nothing of this one in the environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_the_installed_package_is_the_wheels_and_imports_without_torch(elsewhere, tmp_path):
    code = "import diffusion_lab, sys; print(diffusion_lab.__file__); print('torch' in sys.modules)"
    done = run([elsewhere / "python", "-c", code], tmp_path)
    where, torch_is_there = done.stdout.splitlines()
    assert Path(where).is_relative_to(elsewhere.parent)
    assert torch_is_there == "False"


def test_the_installed_package_samples(elsewhere, tmp_path):
    code = (
        "import torch; from diffusion_lab import Flow, Gaussian, Points, ddim, final; "
        "x0 = torch.tensor([[3.0, 4.0]]); denoise = Points(x0).denoiser(Gaussian(Flow())); "
        "print(final(ddim(denoise, torch.zeros(1, 2), [1.0, 0.5, 0.0])).tolist())"
    )
    assert run([elsewhere / "python", "-c", code], tmp_path).stdout == "[[3.0, 4.0]]\n"


@pytest.mark.skipif(not (ROOT / "diffusion_lab/cli.py").exists(), reason="there is no command line yet")
@pytest.mark.parametrize("command", PROJECT["scripts"])
def test_the_installed_commands_show_their_help(elsewhere, tmp_path, command):
    done = run([elsewhere / command, "--help"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_the_installed_command_draws_with_shipped_weights(elsewhere, tmp_path):
    words = ["sample", "--model", "moons", "-n", "50", "--steps", "3", "-o", "x.png"]
    done = run([elsewhere / "diffusion-lab", *words], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_the_installed_quiz_finds_its_cards(elsewhere, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_LAB_HOME", str(tmp_path / "home"))
    done = run([elsewhere / "diffusion-lab", "quiz", "show", "forward-closed-form"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "q(x" in done.stdout
