"""Measures the program beside its peers and prints one table.

    python3 start.py bench [NAME ...] [--rounds N] [--peers]

Each engine runs in a process of its own with two threads and its best known settings. The rounds are interleaved, so
that a change of the machine's mood meets all of them; a ratio is the median of the rounds' ratios, with the least and
the greatest beside it. A step is forward and backward to all parameters, without an update. With --peers, environments
with MXNet and PyTorch are made where they can be had; else those that are there are used.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from bench.goals import BARE, GOALS, MXNET, NAMES, TORCH, Goal
from bench.memory import measure_memory
from bench.start import measure_start

ROUNDS: Final = 3
THREADS: Final = "2"
OURS: Final = "Chalkgraph"
MXNET_VARIABLE: Final = "CHALKGRAPH_MXNET"
CLOSE: Final = 1e-3
CLOSE_IN_DEEP: Final = {"resnet20": 1e-2}
"""How far sums over gradients may lie apart; through twenty normalised layers single precision moves them more."""
OLDER_KERNELS: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Where these are set, for older libraries' sake, they hold numpy's BLAS to half of what the processor can do."""
MEMORY: Final = "memory"
Found = dict[str, dict[str, Any]]
"""What one process told, by work."""


@attrs.frozen
class Engine:
    """A way to run works in a process: who, its command, its own surroundings, and what it is to be spared."""

    who: str
    command: tuple[str, ...]
    surroundings: Mapping[str, str] = attrs.Factory(dict)
    without: tuple[str, ...] = ()

    def ask(self, folder: Path, works: Sequence[str]) -> Found:
        """Run works and return what the process told; SystemExit with its last words when it fails."""
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), THREADS)
        given = {**os.environ, **threads, **self.surroundings}
        answer = subprocess.run(
            [*self.command, str(folder), *works],
            check=False,
            capture_output=True,
            text=True,
            env={name: text for name, text in given.items() if name not in self.without},
        )
        if answer.returncode != 0:
            raise SystemExit(f"{self.who} failed:\n{answer.stderr.strip()[-2000:]}")
        return told(answer.stdout)


def told(text: str) -> Found:
    """Read the lines of JSON that a process printed; other lines are passed over."""
    found: Found = {}
    for line in text.splitlines():
        if line.startswith("{"):
            facts = json.loads(line)
            found.setdefault(facts.pop("work"), {}).update(facts)
    return found


def engines() -> Iterator[Engine]:
    """Yield our engine and the peers that are there; say which are not."""
    yield Engine(OURS, (sys.executable, "-P", "-m", "bench.ours"), without=OLDER_KERNELS)
    python = os.environ.get(MXNET_VARIABLE)
    if python:
        pinned = {
            "OMP_PROC_BIND": "true",
            "OMP_PLACES": "cores",
        }  # else its threads share one core for seconds
        yield Engine(MXNET, (python, "-W", "ignore", "-m", "bench.in_mxnet"), pinned)
    else:
        print("There is no MXNet to compare with (--peers makes an environment with it).")
    if importlib.util.find_spec("torch") is not None:
        yield Engine(TORCH, (sys.executable, "-P", "-m", "bench.in_torch"))
    else:
        print("There is no PyTorch to compare with (--peers installs it).")


def measure(names: Sequence[str], rounds: int) -> list[dict[str, Found]]:
    """Run all rounds and return what each engine told in each of them."""
    found: list[dict[str, Found]] = [{} for _ in range(rounds)]
    works = [name for name in names if name != "start"]
    if works:
        asked = list(engines())
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            asked[0].ask(folder, ["write"])
            for number, one in enumerate(found):
                print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
                for engine in asked[number % len(asked) :] + asked[: number % len(asked)]:
                    one[engine.who] = engine.ask(folder, works)
    if "start" in names:
        for one, (bare, window, ready) in zip(found, measure_start(rounds), strict=True):
            one.setdefault(OURS, {}).update(window={"seconds": window}, ready={"seconds": ready})
            one[BARE] = {"window": {"seconds": bare}}
    return found


def differences(rounds: Sequence[Mapping[str, Found]]) -> list[str]:
    """Return a sentence for every net whose numbers are not the same in a peer, which would make its times void."""
    said = []
    for who, found in rounds[0].items():
        for work, facts in found.items():
            ours = rounds[0][OURS].get(work, {})
            if who != OURS and "sums" in facts and not _alike(ours, facts, CLOSE_IN_DEEP.get(work, CLOSE)):
                said.append(f"{work}: {who} computes other numbers, so its times mean nothing.")
    return said


def _alike(ours: Mapping[str, Any], theirs: Mapping[str, Any], close: float) -> bool:
    pairs = list(zip(ours["outputs"], theirs["outputs"], strict=True))
    if ours["sums"].keys() != theirs["sums"].keys():
        return False
    pairs += [(value, theirs["sums"][key]) for key, value in ours["sums"].items()]
    return all(abs(one - other) <= close * max(1.0, abs(one)) for one, other in pairs)


# The table -------------------------------------------------------------------------------------------------------


def table(names: Sequence[str], rounds: Sequence[Mapping[str, Found]]) -> list[list[str]]:
    """Return the lines of the table as columns of text."""
    lines = [["work", "ours", "beside", "takes", "ratio", "least–most", "goal", ""]]
    for goal in GOALS:
        if goal.name not in names:
            continue
        ours = [one[OURS][goal.work][goal.fact] for one in rounds]
        first = [goal.title, duration(statistics.median(ours))]
        if not goal.ratios:
            wanted, verdict = ("", "") if goal.most is None else _against(statistics.median(ours), goal.most)
            lines.append([*first, "", "", "", "", wanted, verdict])
        for who, most in goal.ratios.items():
            lines.append([*first, *_beside(goal, who, most, ours, rounds)])
            first = ["", ""]
    return lines


def _beside(
    goal: Goal, who: str, most: float, ours: Sequence[float], rounds: Sequence[Mapping[str, Found]]
) -> list[str]:
    work = goal.beside or goal.work
    if any(work not in one.get(who, {}) for one in rounds):
        return [who, "not here", "", "", f"≤ {most:g}", ""]
    theirs = [one[who][work]["seconds"] for one in rounds]
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    spread = f"{_ratio(min(ratios))}–{_ratio(max(ratios))}"
    verdict = "met" if ratio <= most else "NOT MET"
    return [who, duration(statistics.median(theirs)), _ratio(ratio), spread, f"≤ {most:g}", verdict]


def _against(seconds: float, most: float) -> tuple[str, str]:
    return f"≤ {duration(most)}", "met" if seconds <= most else "NOT MET"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Write a time with three digits: `0.69 µs`, `12.3 ms`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def laid_out(lines: Sequence[Sequence[str]]) -> str:
    """Put columns under each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> int:
    """Measure what the words ask for and print the table; 1 where a peer's numbers differ."""
    parser = argparse.ArgumentParser(prog="start.py bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure, of: {', '.join(NAMES)}; or {MEMORY} alone"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often ({ROUNDS} unless said)")
    options = parser.parse_args()
    if options.names == [MEMORY]:
        measure_memory()
        return 0
    known = (*NAMES, MEMORY)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(
            f"there is no measurement called {unknown[0]!r} beside others. There are: {', '.join(known)}."
        )
    if options.rounds < 1:
        parser.error("at least one round is needed.")
    names = options.names or NAMES
    rounds = measure(names, options.rounds)
    print(laid_out(table(names, rounds)))
    said = differences(rounds)
    print("\n".join(said), end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
