"""Files that must agree with each other: versions, pins, links, workflows; and what must not be committed."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

import diffusion_lab
import lab
from diffusion_lab import about
from diffusion_lab.setup import links as address
from diffusion_lab.setup.steps import ROOT
from diffusion_lab.setup.venv import SUPPORTED

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOWS = {
    file.name: yaml.safe_load(file.read_text()) for file in (ROOT / ".github/workflows").glob("*.yml")
}
JOBS = {f"{name}, {job}": body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [*PROJECT["dependencies"], *itertools.chain.from_iterable(EXTRAS.values())]


def pins():
    """Every line of constraints.txt that holds on this machine."""
    lines = map(Requirement, (ROOT / "constraints.txt").read_text().splitlines())
    return {pin.name: pin for pin in lines if pin.marker is None or pin.marker.evaluate()}


def tracked():
    """The files that git knows."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_has_a_pin_in_its_range(requirement):
    wanted = Requirement(requirement)
    if wanted.name == PROJECT["name"]:
        assert wanted.extras == set(EXTRAS) - {"dev", "node"}  # Node comes only where a machine has none
        return
    (pin,) = pins()[wanted.name.lower()].specifier
    assert pin.operator == "=="
    assert wanted.specifier.contains(pin.version)


def test_every_dependency_has_its_reason():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Why each dependency")[2]
    justified = {name for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for name in row.split(", ")}
    wanted = {Requirement(requirement).name for requirement in REQUIREMENTS} - {PROJECT["name"]}
    assert justified - {"package", "---"} == wanted


def test_pins_hold_on_every_machine_and_torch_is_pinned_there_alone():
    text = (ROOT / "constraints.txt").read_text()
    assert re.findall(r"^torch\b.*", text, re.MULTILINE) == ["torch==2.13.0"]
    assert not re.search(r"\+|@|/|^(nvidia|cuda|triton)", text, re.MULTILINE)
    assert "torch>=2.6" in PROJECT["dependencies"]


def test_conda_gives_python_and_constraints_give_the_rest():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, rest = environment["dependencies"]
    assert python == f"python {PROJECT['requires-python']}"
    assert pip == "pip"
    assert rest == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    assert environment["name"] == PROJECT["name"]


def test_supported_pythons_are_the_same_everywhere():
    classifiers = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    oldest, newest = (int(version.partition(".")[2]) for version in (SUPPORTED[0], SUPPORTED[-1]))
    assert tuple(classifiers) == SUPPORTED
    assert PROJECT["requires-python"] == f">=3.{oldest},<3.{newest + 1}"
    assert all(version in README for version in SUPPORTED)


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == diffusion_lab.__version__


def test_the_address_of_pyproject_stands_behind_every_link_of_the_readme():
    links = dict(re.findall(r"^\[([\w-]+)\]: (\S+)$", README, re.MULTILINE))
    assert about.repository() == PROJECT["urls"]["Repository"] == links["repository"]
    assert links["issues"] == about.issues_link()
    assert links["ci"] == about.ci_link()
    assert links["ci-badge"] == about.ci_link() + "/badge.svg"
    assert links["colab"] == about.colab_link("notebooks/01_forward_and_reverse.ipynb")
    assert links["colab-badge"] == about.COLAB_BADGE
    assert links["colab"] in about.badge("notebooks/01_forward_and_reverse.ipynb")
    assert f"git clone {about.repository()}\n" in README


def test_every_notebook_installs_the_package_from_that_address():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        found = set(re.findall(r"git\+(https://[^\s\\\"]+)", notebook.read_text(encoding="utf-8")))
        assert found == {about.repository()}, notebook.name


def test_a_new_address_reaches_every_page(tmp_path, monkeypatch, capsys):
    text = (ROOT / "pyproject.toml").read_text().replace(address.slug(), "ada/noise")
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01.ipynb").write_text(f"git+{about.repository()}")
    old = address.slug()
    monkeypatch.setattr(address, "ROOT", tmp_path)
    assert lab.main(["links"]) == 0
    assert "README.md, 01.ipynb" in capsys.readouterr().out
    assert (tmp_path / "notebooks/01.ipynb").read_text() == "git+https://github.com/ada/noise"
    assert old not in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_commands_of_the_readme_exist():
    named = re.findall(r"^\S*python3? lab\.py ([a-z]+)", README, re.MULTILINE)
    assert named
    assert set(named) <= set(lab.COMMANDS)


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_no_job_runs_for_ever_or_on_an_unknown_python(job):
    assert 0 < job["timeout-minutes"] <= 60
    setup = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    (version,) = [step["with"]["python-version"] for step in setup]
    assert set(job.get("strategy", {}).get("matrix", {}).get("python", [version])) <= set(SUPPORTED)
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


@pytest.mark.parametrize("flow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_workflows_may_only_read_and_give_way_to_newer_runs(flow):
    assert flow["permissions"] == {"contents": "read"}
    assert flow["concurrency"]["cancel-in-progress"] is True
    assert True in flow  # YAML 1.1 reads the key `on` so: it has triggers


def test_commands_of_the_workflows_exist():
    lines = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    words = [line.split()[2] for line in lines if line.startswith("python lab.py")]
    assert words
    assert all(word in lab.COMMANDS or word == "--check" for word in words)


def test_hooks_download_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert {hook["language"] for repo in config["repos"] for hook in repo["hooks"]} == {"system"}


def test_nothing_too_large_is_committed():
    weights = ROOT / "diffusion_lab/weights"
    sizes = {path: path.stat().st_size for path in tracked()}
    assert not [path for path, size in sizes.items() if size > 1_000_000 and weights not in path.parents]
    assert sum(size for path, size in sizes.items() if weights in path.parents) <= 16_000_000


@pytest.mark.skipif(sys.platform == "win32", reason=".ci/run is for Linux")
def test_the_ci_script_is_a_program():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
