"""What start.py decides: versions, requirements, stamps, and the words it says."""

import json
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.qt import system_libraries
from app.qt.system_libraries import FOR_A_WINDOW, FOR_QT, advice, missing_libraries, packages

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return start.py as a module whose virtual environment would be in an empty folder."""
    module = SimpleNamespace(**runpy.run_path(str(ROOT / "start.py"), run_name="start"))
    inside = module.main.__globals__
    monkeypatch.setitem(inside, "VENV", tmp_path / ".venv")
    monkeypatch.setitem(inside, "STAMP", tmp_path / "chalkgraph.json")
    module.patch = lambda name, value: monkeypatch.setitem(inside, name, value)
    return module


@pytest.fixture
def calls(start):
    """Note what would be run, and let everything succeed."""
    noted: list[list[str]] = []

    def note(command, surroundings, folder=None):
        noted.append([Path(command[0]).name, *map(str, command[1:])])
        return 0

    start.patch("run", note)
    start.patch("set_up", lambda purpose: noted.append(["set up", purpose]))
    start.patch("set_up_torch", lambda *, anyway: noted.append(["torch", str(anyway)]) or "")
    start.patch("set_up_mxnet", lambda: noted.append(["mxnet"]) or ("there/python", ""))
    return noted


def test_without_words_the_window_is_opened(start, calls):
    assert start.main([]) == 0
    assert calls[0] == ["set up", "run"]
    assert calls[1][1:] == ["-P", "-m", "app"]


def test_a_file_is_handed_on(start, calls):
    start.main(["net.chalk"])
    assert calls[-1][-1] == "net.chalk"


def test_test_runs_every_check_and_pytest_last(start, calls, capsys):
    assert start.main(["test"]) == 0
    assert calls[:2] == [["set up", "test"], ["torch", "False"]]
    assert [words[2] for words in calls[2:5]] == ["ruff", "ruff", "mypy"]
    assert calls[5][0] == "lint-imports"
    assert calls[6][1:3] == ["-m", "pytest"]
    assert calls[6][3:] == ["-m", "not slow"]
    assert capsys.readouterr().out.endswith("== pytest\n")


def test_all_runs_the_slow_tests_and_more_words_go_to_pytest(start, calls, tmp_path, capsys):
    start.patch("SHARED", tmp_path)
    start.main(["test", "--all", "--", "-k", "theme"])
    assert "only those of tests/golden" in capsys.readouterr().out
    assert calls[1] == ["torch", "False"]
    assert ["mxnet"] not in calls
    assert calls[-1][2:] == ["pytest", "-k", "theme"]


def test_all_lets_the_judge_of_the_shared_folder_try_everything(start, calls, tmp_path):
    (tmp_path / "mxnet").mkdir()
    (tmp_path / "mxnet" / "check.py").write_text("")
    start.patch("SHARED", tmp_path)
    assert start.main(["test", "--all"]) == 0
    for number, folder in ((-2, tmp_path / "mxnet" / "golden"), (-1, tmp_path / "models")):
        assert calls[number][1:] == [
            str(tmp_path / "mxnet" / "check.py"),
            str(folder),
            "--",
            str(start.PYTHON),
            "-m",
            "app",
        ]
    start.patch("run", lambda command, surroundings, folder=None: int("check.py" in str(command)))
    assert start.main(["test", "--all"]) == 1


def test_peers_are_set_up_when_asked_for_and_the_tests_are_told_where_mxnet_is(start, calls):
    seen = []
    start.patch("run", lambda command, surroundings, folder=None: seen.append(surroundings) or 0)
    start.main(["test", "--peers"])
    assert calls[1:] == [["torch", "True"], ["mxnet"]]
    assert seen[-1]["CHALKGRAPH_MXNET"] == "there/python"


def test_where_there_is_no_mxnet_the_tests_say_so_and_run_all_the_same(start, calls, capsys):
    start.patch("set_up_mxnet", lambda: ("", "MXNet is not to be had; skipped."))
    assert start.main(["test", "--peers"]) == 0
    assert "MXNet is not to be had; skipped." in capsys.readouterr().out
    assert calls[-1][2] == "pytest"


def test_a_failing_check_stops_the_rest(start, calls, capsys):
    def fail_at_mypy(command, surroundings, folder=None):
        calls.append(list(map(str, command)))
        return 1 if "mypy" in command else 0

    start.patch("run", fail_at_mypy)
    assert start.main(["test"]) == 1
    assert "mypy found something" in capsys.readouterr().err
    assert "pytest" not in calls[-1]


def test_checks_run_without_a_display(start, calls, monkeypatch):
    seen = []
    start.patch("run", lambda command, surroundings, folder=None: seen.append(surroundings) or 0)
    monkeypatch.setenv("DISPLAY", ":0")
    start.main(["test"])
    assert all(found["QT_QPA_PLATFORM"] == "offscreen" and "DISPLAY" not in found for found in seen)


def test_unknown_words_are_refused(start, calls, capsys):
    assert start.main(["test", "--fast"]) == 1
    assert "--fast" in capsys.readouterr().err


def test_pictures_are_taken_from_the_real_window(start, calls):
    start.main(["pictures", "elsewhere"])
    assert calls[0] == ["set up", "run"]
    assert calls[1][-1] == "elsewhere"
    assert Path(calls[1][-2]) == ROOT / "tools" / "screenshots.py"


def test_bench_measures_with_the_peers_that_are_there(start, calls, tmp_path):
    start.patch("MXNET_STAMP", tmp_path / "stamp")
    given = {}
    start.patch(
        "run", lambda command, surroundings, folder=None: given.update(surroundings, words=command) or 0
    )
    assert start.main(["bench", "mlp", "--rounds", "2"]) == 0
    assert calls == [["set up", "run"]]
    assert given["words"][1:] == ["-P", "-m", "bench.run", "mlp", "--rounds", "2"]
    assert given["CHALKGRAPH_MXNET"] == ""
    (tmp_path / "stamp").write_text("")
    start.main(["bench"])
    assert given["CHALKGRAPH_MXNET"] == str(start.MXNET_PYTHON)


def test_bench_sets_up_peers_when_asked(start, calls, monkeypatch):
    given = {}
    start.patch(
        "run", lambda command, surroundings, folder=None: given.update(surroundings, words=command) or 0
    )
    start.main(["bench", "--peers"])
    assert calls == [["set up", "run"], ["mxnet"], ["torch", "True"]]
    assert given["CHALKGRAPH_MXNET"] == "there/python"
    assert "--peers" not in given["words"]


def test_requirements_are_those_of_pyproject(start):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert start.requirements("dependencies") == project["dependencies"]
    assert start.requirements("dependencies", "test")[-1] == project["optional-dependencies"]["test"][-1]
    assert start.requirements("torch") == ["torch==2.13.0"]


def test_every_requirement_is_pinned(start):
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    for requirement in start.requirements("dependencies", "test", "torch"):
        name = requirement.split(">")[0].split("=")[0].lower()
        assert f"\n{name}==" in pins, name


@pytest.fixture
def installed(start):
    """Pretend that environments and packages are made; note which."""
    made: list[str] = []
    start.patch("PYTHON", Path(sys.executable))
    start.patch("make_venv", lambda: made.append("venv"))
    start.patch("install", lambda wanted: made.append(f"{len(wanted)} packages"))
    start.patch("provide_system_libraries", lambda *, for_a_window: None)
    return made


def test_later_starts_skip_what_is_done(start, installed):
    start.set_up("run")
    first = list(installed)
    start.set_up("run")
    assert first[0] == "venv"
    assert installed == first


def test_tests_need_more_than_the_window_and_the_window_no_more_than_the_tests(start, installed):
    start.set_up("run")
    start.set_up("test")
    assert installed[0] == "venv"
    assert len(installed) == 3
    start.set_up("run")
    assert len(installed) == 3


def test_a_changed_project_is_set_up_anew(start, installed):
    start.set_up("run")
    start.patch("key", lambda: "another")
    start.set_up("run")
    assert installed.count("venv") == 2


def test_a_damaged_stamp_counts_as_none(start):
    start.main.__globals__["STAMP"].write_text("{half", encoding="utf-8")
    assert start.read_stamp() == {}


def report(*package_names):
    items = [{"metadata": {"name": name}} for name in package_names]
    return SimpleNamespace(returncode=0, stdout=json.dumps({"install": items}))


@pytest.mark.parametrize(
    ("answer", "anyway", "said", "installs"),
    [
        (report("torch", "sympy"), False, "", 1),
        (report("torch", "nvidia-cublas"), False, "gigabytes", 0),
        (report("torch", "nvidia-cublas"), True, "", 1),
        (SimpleNamespace(returncode=1, stdout=""), False, "not to be had", 0),
    ],
)
def test_pytorch_is_installed_where_it_is_no_burden(start, answer, anyway, said, installs):
    commands = []

    start.patch("ask", lambda command: commands.append(command) or answer)
    start.patch("run", lambda command, surroundings: commands.append(command) or 0)
    told = start.set_up_torch(anyway=anyway)
    assert said in told
    assert bool(said) == bool(told)
    assert len(commands) == 1 + installs
    start.set_up_torch(anyway=False)
    assert len(commands) == 1 + installs


@pytest.fixture
def mxnet(start, tmp_path, monkeypatch):
    """Note the commands that would make an environment with MXNet; those with a word in `fails` go wrong."""
    monkeypatch.delenv("CHALKGRAPH_MXNET", raising=False)
    folder = tmp_path / ".venv-mxnet"
    for name, path in (("MXNET_VENV", ""), ("MXNET_PYTHON", "python"), ("MXNET_STAMP", "stamp")):
        start.patch(name, folder / path)
    noted = SimpleNamespace(commands=[], fails="")

    def ask(command, surroundings=None):
        words = [str(word) for word in command]
        noted.commands.append(words)
        if "--clear" in words:
            folder.mkdir(exist_ok=True)
            (folder / "python").touch()
        failed = bool(noted.fails) and any(noted.fails in word for word in words)
        return SimpleNamespace(returncode=int(failed), stderr="no such library")

    start.patch("ask", ask)
    start.patch("sys", SimpleNamespace(version_info=(3, 11, 4), executable="python", stdout=sys.stdout))
    return noted


def test_mxnet_is_installed_once(start, mxnet, tmp_path):
    assert start.set_up_mxnet() == (str(tmp_path / ".venv-mxnet" / "python"), "")
    installed = next(words for words in mxnet.commands if "pip" in words)
    assert installed[-2:] == ["mxnet==1.9.1", "numpy==1.23.5"]
    first = len(mxnet.commands)
    assert start.set_up_mxnet() == (str(tmp_path / ".venv-mxnet" / "python"), "")
    assert len(mxnet.commands) == first


def test_another_mxnet_is_installed_anew(start, mxnet):
    start.set_up_mxnet()
    start.patch("MXNET_PACKAGES", ("mxnet==2.0",))
    start.set_up_mxnet()
    assert mxnet.commands[-2][-1] == "mxnet==2.0"


@pytest.mark.parametrize(
    ("fails", "said"),
    [("--clear", "environment"), ("install", "not to be had"), ("import mxnet", "such library")],
)
def test_without_mxnet_it_is_said_why_and_nothing_half_made_is_left(start, mxnet, tmp_path, fails, said):
    mxnet.fails = fails
    python, why_not = start.set_up_mxnet()
    assert python == ""
    assert said in why_not
    assert why_not.endswith("what compares with MXNet will be skipped.")
    assert not (tmp_path / ".venv-mxnet").exists()


def test_mxnet_wants_an_older_python(start, mxnet):
    start.patch("sys", SimpleNamespace(version_info=(3, 14, 0), executable="python", stdout=sys.stdout))
    start.patch(
        "shutil", SimpleNamespace(which=lambda name: f"here/{name}" if name == "python3.10" else None)
    )
    assert start.python_for_mxnet() == "here/python3.10"
    mxnet.fails = "3.10"
    assert start.python_for_mxnet() == ""


def test_an_mxnet_that_is_named_is_taken(start, mxnet, monkeypatch):
    monkeypatch.setenv("CHALKGRAPH_MXNET", "elsewhere/python")
    assert start.set_up_mxnet() == ("elsewhere/python", "")
    assert mxnet.commands == []


def test_apt_is_used_where_it_may(start):
    tried = []
    start.patch("has_apt", lambda: True)
    start.patch("apt_install", lambda wanted: tried.append(wanted) or True)
    answers = iter([("libEGL.so.1",), ()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system_libraries, "missing_libraries", lambda *, for_a_window: next(answers))
        start.provide_system_libraries(for_a_window=True)
    assert tried == [["libegl1"]]


def test_else_the_exact_line_is_said(start):
    start.patch("has_apt", lambda: True)
    start.patch("apt_install", lambda wanted: False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            system_libraries,
            "missing_libraries",
            lambda *, for_a_window: ("libxcb-cursor.so.0", "libEGL.so.1"),
        )
        with pytest.raises(start.Stop, match="sudo apt install libegl1 libxcb-cursor0"):
            start.provide_system_libraries(for_a_window=True)


def test_missing_venv_module_names_the_package(start):
    start.patch("can_make_venv", lambda: False)
    start.patch("has_apt", lambda: True)
    start.patch("apt_install", lambda wanted: False)
    with pytest.raises(start.Stop, match=rf"sudo apt install python3\.{sys.version_info[1]}-venv"):
        start.provide_venv_module()


def nothing_loads(name):
    raise OSError(name)


def test_all_libraries_are_missed_where_none_loads():
    assert missing_libraries(platform="linux", loads=nothing_loads) == (*FOR_QT, *FOR_A_WINDOW)
    assert missing_libraries(for_a_window=False, platform="linux", loads=nothing_loads) == tuple(FOR_QT)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_need_none(platform):
    assert missing_libraries(platform=platform, loads=nothing_loads) == ()


def test_advice_names_libraries_where_there_is_no_apt():
    assert packages(["libGL.so.1", "libEGL.so.1"]) == ["libegl1", "libgl1"]
    assert "libGL.so.1" in advice(["libGL.so.1"], has_apt=False)


def test_an_old_python_is_told_so(start, capsys):
    start.patch("OLDEST", (3, 99))
    start.patch("shutil", SimpleNamespace(which=lambda name: None))
    assert start.main([]) == 1
    assert "needs Python 3.99 or newer" in capsys.readouterr().err


def test_help_needs_no_set_up():
    done = subprocess.run(
        [sys.executable, ROOT / "start.py", "--help"], capture_output=True, text=True, check=True
    )
    assert "python3 start.py test" in done.stdout
