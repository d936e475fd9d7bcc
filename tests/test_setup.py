"""`python3 lab.py`: what it installs, what it never deletes, what it says when something fails."""

import ast
import contextlib
import itertools
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import lab
from diffusion_lab.setup import lock, steps, venv
from diffusion_lab.setup.steps import ROOT, Stop

VENV_STEP, TORCH_STEP, OTHERS_STEP, IMPORT_STEP = "Python environment", "PyTorch", "all other", "first import"


class Installer:
    """Stands in for venv and pip: notes the steps, leaves a Python for `probe` to read, fails when told."""

    def __init__(self):
        self.steps, self.commands, self.fail_at, self.failure = [], [], "", None

    def __call__(self, title, *command):
        self.steps.append(title.strip())
        self.commands.append([str(word) for word in command])
        if title.startswith(VENV_STEP):
            venv.PYTHON.parent.mkdir()
            venv.PYTHON.write_text("3.12")
        if self.fail_at and title.startswith(self.fail_at):
            self.fail_at = ""
            raise self.failure

    def fails_at(self, step, failure):
        """The next set-up stops there."""
        self.fail_at, self.failure = step, failure
        with pytest.raises(type(failure)):
            self.run()

    def run(self, wanted="learn"):
        """The steps that a set-up took."""
        self.steps.clear()
        venv.set_up(wanted)
        return list(self.steps)


def probe(python):
    """The base Python fits; the one in .venv is a file with its version."""
    if Path(python) != venv.PYTHON:
        return "3.12"
    return venv.PYTHON.read_text() if venv.PYTHON.exists() else ""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty checkout, with a space in its path."""
    root = tmp_path / "my lab"
    root.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        (root / name).write_text("one\n")
    paths = {"ROOT": root, "VENV": root / ".venv", "LOGS": root / ".lab", "STAMP": root / ".venv/lab-stamp"}
    for module, name in itertools.product((steps, venv, lab), paths):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, paths[name])
    monkeypatch.setattr(venv, "PYTHON", root / ".venv/bin/python")
    monkeypatch.delenv("LAB_INSTALLER", raising=False)
    return root


@pytest.fixture
def installer(folder, monkeypatch):
    installer = Installer()
    monkeypatch.setattr(venv, "step", installer)
    monkeypatch.setattr(venv, "probe", probe)
    return installer


def test_everything_that_is_installed_is_pinned(installer):
    installer.run()
    installs = [command for command in installer.commands if "install" in command]
    assert len(installs) == 2
    assert all(command[command.index("--constraint") + 1] == "constraints.txt" for command in installs)


def test_a_second_start_installs_nothing(installer):
    assert len(installer.run()) == 4
    assert installer.run() == []


def test_tests_need_more_than_learners_and_learners_nothing_more_than_tests(installer):
    installer.run("learn")
    assert len(installer.run("all")) == 3
    assert ".[dev]" in installer.commands[-2]
    assert installer.run("learn") == installer.run("all") == []


def test_new_pins_go_into_the_same_environment_and_keep_what_tests_need(installer, folder):
    installer.run("all")
    (folder / "constraints.txt").write_text("two\n")
    assert len(installer.run("learn")) == 3
    assert ".[dev]" in installer.commands[-2]
    assert installer.run("all") == []


@pytest.mark.parametrize("where", [VENV_STEP, TORCH_STEP, OTHERS_STEP, IMPORT_STEP])
def test_a_set_up_that_was_killed_starts_afresh(installer, where):
    installer.fails_at(where, KeyboardInterrupt())
    (venv.VENV / "half a package").touch()
    assert len(installer.run()) == 4
    assert not (venv.VENV / "half a package").exists()


def test_a_killed_update_starts_afresh(installer, folder):
    installer.run()
    (folder / "constraints.txt").write_text("two\n")
    installer.fails_at(OTHERS_STEP, KeyboardInterrupt())
    assert len(installer.run()) == 4


def test_an_update_that_fails_without_a_network_leaves_the_old_environment(installer, folder):
    installer.run()
    (folder / "constraints.txt").write_text("two\n")
    installer.fails_at(TORCH_STEP, Stop("no network"))
    assert len(installer.run()) == 3


def test_a_python_that_is_gone_is_replaced(installer):
    installer.run()
    venv.PYTHON.unlink()
    assert len(installer.run()) == 4
    venv.PYTHON.write_text("3.13")  # the system's Python was updated underneath
    assert len(installer.run()) == 4


def test_a_folder_that_moved_is_set_up_afresh(installer):
    installer.run()
    extras, place, fingerprint = venv.stamp()
    venv.STAMP.write_text("\n".join([extras, place.replace("my lab", "lab"), fingerprint]))
    assert len(installer.run()) == 4


def test_an_environment_of_somebody_else_is_used_but_never_deleted(installer):
    venv.PYTHON.parent.mkdir(parents=True)
    (venv.VENV / "theirs").touch()
    with pytest.raises(Stop, match="move it away or delete it"):
        installer.run()
    venv.PYTHON.write_text("3.12")
    installer.fails_at(OTHERS_STEP, KeyboardInterrupt())
    assert len(installer.run()) == 3
    assert (venv.VENV / "theirs").exists()


def test_uv_installs_where_it_is_wanted_and_there(installer, monkeypatch):
    monkeypatch.setenv("LAB_INSTALLER", "uv")
    monkeypatch.setattr(venv.shutil, "which", lambda name: f"/bin/{name}")
    installer.run()
    assert {tuple(command[:3]) for command in installer.commands[1:3]} == {("/bin/uv", "pip", "install")}
    assert all(str(venv.PYTHON) in command for command in installer.commands[1:3])


def test_uv_is_told_what_pip_knows(monkeypatch):
    for name in ("UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "/one /two")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    told = steps.for_installers()
    assert told["UV_FIND_LINKS"] == "/one,/two"
    assert told["UV_DEFAULT_INDEX"] == "https://index.invalid/simple"


def test_commands_run_inside_the_environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    env = steps.environment(JUPYTER_TOKEN="1")
    assert "PYTHONPATH" not in env
    assert env["PATH"].startswith(str(steps.VENV))
    assert env["JUPYTER_TOKEN"] == "1"


def test_a_full_disk_is_seen_before_the_download(installer, monkeypatch):
    usage = venv.shutil.disk_usage(ROOT)._replace(free=10**9)
    monkeypatch.setattr(venv.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(Stop, match=r"Only 1\.0 GB are free"):
        installer.run()


def test_a_wrong_python_names_the_right_ones(monkeypatch):
    monkeypatch.setattr(venv, "probe", lambda _: "3.10")
    with pytest.raises(Stop, match=r"3\.11, 3\.12 or 3\.13"):
        venv.base_python()


def test_another_python_on_the_path_is_found(monkeypatch):
    monkeypatch.setattr(venv.shutil, "which", lambda name: f"/opt/{name}" if "3.12" in name else None)
    monkeypatch.setattr(venv, "probe", lambda python: "3.12" if "/opt/" in python else "3.9")
    assert venv.base_python() == "/opt/python3.12"


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "TMPDIR"),
        ("NewConnectionError('Failed to establish a connection: [Errno 111] Connection refused')", "proxy"),
        ("Temporary failure in name resolution\nNo matching distribution found for torch", "proxy"),
        ("error: Failed to fetch: ...\n  Caused by: error sending request for url\n  dns error", "proxy"),
        ("ERROR: No matching distribution found for torch>=2.6", "Colab"),
        ("    The user requested torch\n    The user requested (constraint) torch==2.13.0", "Colab"),
        ("The virtual environment was not created because ensurepip is not available.", "python3-venv"),
        ("/lab/.venv/bin/python: No module named pip", "delete"),
        ("OSError: [WinError 126] The module could not be found. Error loading c10.dll", "Visual C++"),
        ("PermissionError: [WinError 5] Access is denied: 'torch_cpu.dll'", "Close programs"),
        ("something never seen", "lines above"),
    ],
)
def test_known_failures_get_advice(output, word):
    assert word in steps.advice(output)


@pytest.mark.usefixtures("folder")
def test_a_failed_step_is_named_and_shows_its_last_lines(capsys):
    steps.LOGS.mkdir()
    code = "import sys; print('early'); [print('line', i) for i in range(40)]; sys.exit('the reason')"
    with pytest.raises(Stop) as stop:
        steps.step("a step", sys.executable, "-u", "-c", code)
    assert "the reason" in str(stop.value)
    assert "The step 'a step' failed" in str(stop.value)
    assert "early" not in str(stop.value)
    assert "a step" in capsys.readouterr().out


HOLDER = """
import subprocess, sys
from diffusion_lab.setup import venv
from pathlib import Path
venv.LOGS = Path(sys.argv[1])
with venv.one_at_a_time():
    child = subprocess.Popen([sys.executable, "-c", "print('held', flush=True); input()"], close_fds=False)
    input()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks the files of a running installer itself")
def test_an_installer_that_outlives_its_set_up_still_holds_the_lock(tmp_path):
    import fcntl

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], **pipes) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait()
        with (tmp_path / "lock").open("w") as file:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            holder.stdin.close()  # the child reads its end and leaves
            fcntl.flock(file, fcntl.LOCK_EX)


@pytest.fixture
def server(folder, monkeypatch):
    """Starts JupyterLab from the Python that runs the tests; whatever was started is stopped."""
    pytest.importorskip("jupyterlab")
    (folder / ".lab").mkdir()
    monkeypatch.setattr(lab, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(lab, "set_up", lambda wanted: None)
    with contextlib.ExitStack() as stack:

        def begin(port, token):
            process = lab.jupyterlab(None, port, token, browser=False)
            stack.callback(lab.halt, process)
            return process

        yield begin


def test_jupyterlab_answers_to_the_token_alone_and_asks_nobody_for_news(server):
    port, token = lab.free_port(), "a1b2c3"
    process = server(port, token)
    lab.wait_for(process, port, token)
    assert [lab.status(port, word) for word in (token, "wrong", "")] == [200, 403, 403]
    assert token not in " ".join(process.args)
    settings = f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/apputils-extension:notification"
    request = urllib.request.Request(settings, headers={"Authorization": f"token {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as reply:
        schema = json.load(reply)["schema"]["properties"]
    assert schema["fetchNews"]["default"] == "false"
    assert schema["checkForUpdates"]["default"] is False


def test_a_jupyterlab_without_a_token_is_not_accepted(server, tmp_path, monkeypatch):
    (tmp_path / "jupyter_server_config.json").write_text('{"IdentityProvider": {"token": ""}}')
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    port = lab.free_port()
    process = server(port, "a1b2c3")
    with pytest.raises(Stop, match="switches the token off"):
        lab.wait_for(process, port, "a1b2c3")


@pytest.mark.usefixtures("server")
def test_check_starts_and_stops(capsys):
    assert lab.main(["--check"]) == 0
    assert "JupyterLab answers after" in capsys.readouterr().out


@pytest.mark.usefixtures("server")
def test_a_server_that_dies_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_server_config.json").write_text('{"ServerApp": {"certfile": "/nowhere/key.pem"}}')
    with pytest.raises(Stop, match="delete the folder"):
        lab.start(["--check"])


SAMPLE = """
import pytest
def test_good(): pass
def test_bad(): assert 0
@pytest.fixture
def broken(): raise OSError
def test_broken(broken): pass
@pytest.mark.skip(reason="no browser here")
def test_skipped(): pass
"""


@pytest.mark.usefixtures("folder")
def test_the_last_line_counts_every_outcome(tmp_path, monkeypatch, capfd):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    monkeypatch.setattr(lab, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(lab, "set_up", lambda wanted: lab.LOGS.mkdir())
    words = ["test", str(tmp_path / "test_sample.py"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    assert lab.main(words) == 1
    assert capfd.readouterr().out.splitlines()[-2:] == ["1 skipped: no browser here", "1 passed, 2 failed"]


@pytest.mark.usefixtures("folder")
def test_a_set_up_that_fails_is_a_failed_test_run(monkeypatch, capsys):
    def fail(wanted):
        raise Stop("no network")

    lab.LOGS.mkdir()
    (lab.LOGS / "tests.xml").write_text('<testsuite><testcase name="of an earlier run"/></testsuite>')
    monkeypatch.setattr(lab, "set_up", fail)
    assert lab.main(["test"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


@pytest.mark.parametrize("words", [["--chekc"], ["setup", "everything"], ["tset"]])
def test_an_unknown_word_is_a_sentence(words, capsys):
    assert lab.main(words) == 1
    assert "is unknown here: see python3 lab.py --help" in capsys.readouterr().out


def test_help_names_every_command_and_the_commands_exist(capsys):
    assert lab.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in set(lab.COMMANDS) - {"start"})


@pytest.mark.parametrize(
    "path", [ROOT / "lab.py", *sorted((ROOT / "diffusion_lab/setup").glob("*.py"))], ids=lambda p: p.name
)
def test_an_old_python_can_read_lab_py_and_needs_nothing_else(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names | {"diffusion_lab"}


def test_the_lock_drops_what_is_this_machine_alone():
    raw = """
zlib-ng==1.0
cuda-bindings==13.0 ; sys_platform == 'linux'
nvidia-cublas==13
triton==3.5
numpy==2.5
torch==2.13.0 ; sys_platform == 'darwin'
torch==2.13.0+cpu ; sys_platform == 'linux'
abc==1.0+cpu
"""
    assert lock.tidy(raw.lstrip()) == "abc==1.0\nnumpy==2.5\ntorch==2.13.0\nzlib-ng==1.0\n"
