#!/usr/bin/env python3
"""Set up Chalkgraph and start it: plain Python, for Linux, macOS and Windows.

    python3 start.py [FILE]                  set up if need be, open the window
    python3 start.py test [--all] [--peers]  set up, then check everything without a display
    python3 start.py bench [NAME] [--peers]  set up, then measure, beside the engines that are there to compare with
    python3 start.py pictures [FOLDER]       set up, then take the documentation's pictures from the real window

Everything goes into the folder `.venv` beside this file; delete that folder to begin anew. `test --all` also runs the
slow tests, and all cases of the folder `shared` where that lies beside this one. `--peers` also installs PyTorch where
that is a download of gigabytes, and MXNet into `.venv-mxnet` where there is one for this system. Words after `test --`
go to pytest.
"""

# Runs under any Python 3, if only to say that it is too old; so no new syntax before main() has looked.
from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS, EXE = (VENV / "Scripts", ".exe") if os.name == "nt" else (VENV / "bin", "")
PYTHON = SCRIPTS / f"python{EXE}"
STAMP = VENV / "chalkgraph.json"
CONSTRAINTS = ROOT / "constraints.txt"
SHARED = ROOT.parent / "shared"
OLDEST = (3, 11)
MXNET_VENV = ROOT / ".venv-mxnet"
MXNET_PYTHON = MXNET_VENV / PYTHON.relative_to(VENV)
MXNET_STAMP = MXNET_VENV / STAMP.name
MXNET_PACKAGES = ("mxnet==1.9.1", "numpy==1.23.5")  # the last of both that work together
MXNET_PYTHONS = ((3, 9), (3, 11))
MXNET_VARIABLE = "CHALKGRAPH_MXNET"  # names the Python that has MXNet; whoever sets it has another one used


class Stop(Exception):
    """There is no going on; the message says what to do."""


def main(words: list[str]) -> int:
    """Do what the words ask for and return the exit code."""
    try:
        require_python()
        if words[:1] == ["test"]:
            return test(words[1:])
        if words[:1] == ["bench"]:
            return bench(words[1:])
        if words[:1] == ["pictures"]:
            set_up("run")
            return run([PYTHON, "-P", ROOT / "tools" / "screenshots.py", *words[1:]], environment())
        if words[:1] in (["-h"], ["--help"]):
            say(__doc__ or "")
            return 0
        set_up("run")
        return run([PYTHON, "-P", "-m", "app", *words], environment())
    except Stop as stop:
        say(f"\nstart.py: {stop}", error=True)
        return 1
    except KeyboardInterrupt:
        return 130


# -- what it does


def test(words: list[str]) -> int:
    """Run every check of the project, in order of speed; stop at the first that fails."""
    options, extra = (
        (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    )
    unknown = [word for word in options if word not in ("--all", "--peers")]
    if unknown:
        raise Stop(f"test knows --all and --peers, but not {' '.join(unknown)}.")
    set_up("test")
    torch = set_up_torch(anyway="--peers" in options)
    if torch:
        say(torch)
    surroundings = environment() | {"QT_QPA_PLATFORM": "offscreen"}
    surroundings.pop("DISPLAY", None)
    surroundings.pop("WAYLAND_DISPLAY", None)
    if "--peers" in options:
        surroundings[MXNET_VARIABLE], why_not = set_up_mxnet()
        say(why_not or f"MXNet is at {surroundings[MXNET_VARIABLE]}")
    checks: tuple[tuple[str, Sequence[str | Path]], ...] = (
        ("ruff check", [PYTHON, "-m", "ruff", "check", "--quiet"]),
        ("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "--quiet"]),
        ("mypy", [PYTHON, "-m", "mypy"]),
        ("import-linter", [SCRIPTS / f"lint-imports{EXE}"]),
    )
    for name, command in checks:
        say(f"== {name}")
        if run(command, surroundings, ROOT) != 0:
            raise Stop(f"{name} found something (see above). The tests were not run.")
    say("== pytest")
    chosen = [] if "--all" in options else ["-m", "not slow"]
    code = run([PYTHON, "-m", "pytest", *chosen, *extra], surroundings, ROOT)
    return code or (judge(surroundings) if "--all" in options else 0)


def judge(surroundings: dict[str, str]) -> int:
    """Let the judge of the shared folder try the command line on all its cases, where that folder lies beside this."""
    script = SHARED / "mxnet" / "check.py"
    if not script.exists():
        say(f"== no cases in {SHARED}, so only those of tests/golden were tried")
        return 0
    for folder in (SHARED / "mxnet" / "golden", SHARED / "models"):
        say(f"== {folder.name} of {SHARED}")
        if run([PYTHON, script, folder, "--", PYTHON, "-m", "app"], surroundings, ROOT) != 0:
            return 1
    return 0


def bench(words: list[str]) -> int:
    """Measure with `bench/run.py`, beside the peers that are there or, when asked, made for it."""
    set_up("run")
    surroundings = environment()
    if "--peers" in words:
        python, why_not = set_up_mxnet()
        say(why_not or f"MXNet is at {python}")
        say(set_up_torch(anyway=True) or "PyTorch is in .venv")
    else:
        python = os.environ.get(MXNET_VARIABLE) or (str(MXNET_PYTHON) if MXNET_STAMP.exists() else "")
    surroundings[MXNET_VARIABLE] = python
    rest = [word for word in words if word != "--peers"]
    return run([PYTHON, "-P", "-m", "bench.run", *rest], surroundings)


# -- setting up


def require_python() -> None:
    """Start again under a newer Python where this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in (14, 13, 12, 11):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            raise SystemExit(subprocess.call([newer, str(Path(__file__).resolve()), *sys.argv[1:]]))
    have = ".".join(map(str, sys.version_info[:2]))
    raise Stop(f"Chalkgraph needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is {have}.")


def set_up(purpose: str) -> None:
    """Bring virtual environment, packages and system libraries to where the purpose needs them; skip what is done."""
    stamp = read_stamp()
    if stamp.get("key") != key() or not PYTHON.exists():
        make_venv()
        stamp = {}
    if not (stamp.get("run") and (purpose == "run" or stamp.get("test"))):
        groups = ("dependencies",) if purpose == "run" else ("dependencies", "test")
        say("Installing packages into .venv (once; a few minutes) ...")
        install(requirements(*groups))
        stamp |= {"key": key(), "run": True, "test": purpose == "test"}
        write_stamp(stamp)
    provide_system_libraries(for_a_window=purpose == "run")


def key() -> str:
    """Return a fingerprint of all that the environment is made from."""
    parts = [
        (ROOT / "pyproject.toml").read_bytes(),
        CONSTRAINTS.read_bytes(),
        sys.version.encode(),
        bytes(ROOT),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> dict[str, object]:
    """Return what earlier starts have done."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(stamp: dict[str, object]) -> None:
    """Remember what is done."""
    STAMP.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def make_venv() -> None:
    """Make the virtual environment anew."""
    if VENV.exists():
        shutil.rmtree(VENV)
    say("Making the virtual environment .venv ...")
    if not can_make_venv():
        provide_venv_module()
    made = ask([sys.executable, "-m", "venv", VENV])
    if made.returncode != 0 or not succeeds([PYTHON, "-m", "pip", "--version"]):
        shutil.rmtree(VENV, ignore_errors=True)
        raise Stop(f"the virtual environment could not be made:\n{made.stdout}{made.stderr}")


def can_make_venv() -> bool:
    """Tell whether Python came with what a virtual environment is made from; on Debian that is a package of its own."""
    return succeeds([sys.executable, "-c", "import venv, ensurepip"])


def provide_venv_module() -> None:
    """Install Debian's package with the missing part of Python, or say how to."""
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not (has_apt() and apt_install([package]) and can_make_venv()):
        way = f"Type:\n\n    sudo apt install {package}\n\nand start again." if has_apt() else "Install them."
        raise Stop(f"this Python came without the modules venv and ensurepip. {way}")


def requirements(*groups: str) -> list[str]:
    """Return the packages that pyproject.toml names."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
    return [package for group in groups for package in lists[group]]


def pip(*words: str) -> list[str | Path]:
    """Return a pip command."""
    return [PYTHON, "-m", "pip", "--disable-pip-version-check", *words]


def install(wanted: list[str]) -> None:
    """Install packages in the versions that constraints.txt pins."""
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    if run(pip("install", *quiet, "--constraint", str(CONSTRAINTS), *wanted), environment()) != 0:
        raise Stop(
            "pip could not install the packages (see above). Is there a network? Start again to go on."
        )


def set_up_torch(*, anyway: bool) -> str:
    """Install PyTorch for the test of its export where that is no download of gigabytes; return why not, or nothing."""
    stamp = read_stamp()
    said = stamp.get("torch")
    if said is None or (said and anyway):
        said = try_torch(anyway=anyway)
        write_stamp(stamp | {"torch": said})
    return str(said)


def try_torch(*, anyway: bool) -> str:
    """Ask pip what PyTorch would bring along, then install it; return why not, or nothing."""
    wanted = [*requirements("torch"), "--constraint", str(CONSTRAINTS)]
    asked = ask(pip("install", "--quiet", "--dry-run", "--report", "-", *wanted))
    if asked.returncode != 0:
        return "PyTorch is not to be had for this Python; the test of its export will be skipped."
    names = [item["metadata"]["name"].lower() for item in json.loads(asked.stdout)["install"]]
    if not anyway and any(name.startswith(("nvidia-", "cuda-", "triton")) for name in names):
        return "PyTorch is a download of gigabytes here; the test of its export will be skipped (--peers runs it)."
    say("Installing PyTorch for the test of its export (once) ...")
    if run(pip("install", "--quiet", *wanted), environment()) != 0:
        return "PyTorch could not be installed (see above); the test of its export will be skipped."
    return ""


def set_up_mxnet() -> tuple[str, str]:
    """Make an environment with a real MXNet (once); return its Python and nothing, or nothing and why not."""
    named = os.environ.get(MXNET_VARIABLE)
    if named:
        return named, ""
    wanted = json.dumps(MXNET_PACKAGES)
    if MXNET_PYTHON.exists() and MXNET_STAMP.exists() and MXNET_STAMP.read_text(encoding="utf-8") == wanted:
        return str(MXNET_PYTHON), ""
    why_not = install_mxnet()
    if why_not:
        shutil.rmtree(MXNET_VENV, ignore_errors=True)
        return "", f"{why_not}; what compares with MXNet will be skipped."
    MXNET_STAMP.write_text(wanted, encoding="utf-8")
    return str(MXNET_PYTHON), ""


def install_mxnet() -> str:
    """Make the environment and put MXNet into it; return why that cannot be, or nothing."""
    python = python_for_mxnet()
    if not python:
        return "MXNet needs a Python from 3.9 to 3.11, and there is none here"
    say("Installing MXNet into .venv-mxnet (once) ...")
    if not succeeds([python, "-m", "venv", "--clear", MXNET_VENV]):
        return f"{python} could not make an environment for MXNet"
    pip_words = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary", ":all:"]
    if not succeeds([MXNET_PYTHON, *pip_words, *MXNET_PACKAGES]):
        return "MXNet is not to be had for this system (pip finds no wheel of it)"
    answer = ask([MXNET_PYTHON, "-c", "import mxnet"])
    return "" if answer.returncode == 0 else f"MXNet does not start here ({answer.stderr.strip()[-200:]})"


def python_for_mxnet() -> str:
    """Return a Python of a version for which there are wheels, this one first; nothing where there is none."""
    oldest, newest = MXNET_PYTHONS
    found = [sys.executable] if oldest <= sys.version_info[:2] <= newest else []
    found += [shutil.which(f"python3.{minor}") or "" for minor in range(newest[1], oldest[1] - 1, -1)]
    return next((path for path in found if path and succeeds([path, "-c", "import venv, ensurepip"])), "")


# -- system libraries


def provide_system_libraries(*, for_a_window: bool) -> None:
    """Install what Qt needs from the system through apt where that is allowed, else say what to type."""
    from app.qt.system_libraries import advice, missing_libraries, packages

    missing = missing_libraries(for_a_window=for_a_window)
    if not missing:
        return
    say(f"Qt needs libraries of the system: {', '.join(missing)}")
    if has_apt() and apt_install(packages(missing)):
        missing = missing_libraries(for_a_window=for_a_window)
    if missing:
        raise Stop(
            f"some libraries that Qt needs are missing. Type:\n\n    {advice(missing, has_apt=has_apt())}\n"
        )


def has_apt() -> bool:
    """Tell whether this is Debian, Ubuntu or one of their kin."""
    return shutil.which("apt-get") is not None


def apt_install(wanted: list[str]) -> bool:
    """Install packages where this user may do so without a password; tell whether it went well."""
    prefix = apt_prefix()
    if prefix is None:
        return False
    say(f"Installing with apt: {' '.join(wanted)}")
    surroundings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt: list[str | Path] = [*prefix, "apt-get", "--quiet", "--quiet", "--yes"]
    command = [*apt, "install", "--no-install-recommends", *wanted]
    if succeeds(command, surroundings):
        return True
    answer = ask([*apt, "update"], surroundings)
    if answer.returncode == 0:
        answer = ask(command, surroundings)
    say(answer.stderr.strip())
    return answer.returncode == 0


def apt_prefix() -> list[str] | None:
    """Return what goes before apt-get: nothing for root, sudo where it asks for no password, None where it may not."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and succeeds([sudo, "-n", "true"]):
        return [sudo, "-n"]
    return None


# -- running


def environment() -> dict[str, str]:
    """Return the surroundings for a child: this checkout is where `app` is found, whatever the folder."""
    return dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUTF8="1")


def run(command: Sequence[str | Path], surroundings: dict[str, str], folder: Path | None = None) -> int:
    """Run a command in the foreground and return its exit code."""
    sys.stdout.flush()
    return subprocess.call([str(word) for word in command], env=surroundings, cwd=folder)


def ask(
    command: Sequence[str | Path], surroundings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in silence and return its answer."""
    words = [str(word) for word in command]
    return subprocess.run(
        words, check=False, capture_output=True, text=True, env=surroundings or environment()
    )


def succeeds(command: Sequence[str | Path], surroundings: dict[str, str] | None = None) -> bool:
    """Tell whether a command ends well."""
    return ask(command, surroundings).returncode == 0


def say(text: str, *, error: bool = False) -> None:
    """Print a line."""
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
