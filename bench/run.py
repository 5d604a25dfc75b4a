"""Measures the program beside its peers and prints one table.

    python3 start.py bench [NAME ...] [--rounds N] [--peers]

Each engine runs in a process of its own with two threads and its best known settings. They stand ready side by side and
are measured in turn, a fraction of a second each, so that a change of the machine's mood meets all of them; every round
starts new processes. A ratio is the median of the turns' ratios, with their middle half beside it. A step is forward
and backward to all parameters, without an update. With --peers, environments with MXNet and PyTorch are made where they
can be had; else those that are there are used.
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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import attrs
import numpy as np

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
PINNED: Final = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
"""Keeps a peer's two threads on a core each; else they share one for seconds and take a thousand times as long."""
MEMORY: Final = "memory"
TURNS: Final = 8
SECONDS: Final = 0.1
"""How long one engine measures one thing before it is the next one's turn."""
Found = dict[str, dict[str, Any]]
"""What one turn found, by engine and measurement."""
Facts = dict[str, dict[str, dict[str, Any]]]
"""What each engine computes, by engine and work."""


@attrs.frozen
class Engine:
    """A way to run works in a process: who, its command, its own surroundings, and what it is to be spared."""

    who: str
    command: tuple[str, ...]
    surroundings: Mapping[str, str] = attrs.Factory(dict)
    without: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the variables that its process sees."""
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), THREADS)
        given = {**os.environ, **threads, **self.surroundings}
        return {name: text for name, text in given.items() if name not in self.without}

    def write(self, folder: Path) -> None:
        """Have the nets written that everybody reads."""
        subprocess.run([*self.command, str(folder), "write"], check=True, env=self.environment())


class Process:
    """An engine's process, which stands ready and is asked."""

    def __init__(self, engine: Engine, folder: Path, words: IO[str]) -> None:
        self.who = engine.who
        self._words = words
        self._process = subprocess.Popen(
            [*engine.command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env=engine.environment(),
        )

    def ask(self, word: str, about: str) -> dict[str, Any]:
        """Return the answer to one line; SystemExit with its last words where there is none."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None and answers is not None
        try:
            pipe.write(f"{word} {about}\n")
            pipe.flush()
        except BrokenPipeError:
            pass  # it has ended, so that there is no answer either
        for line in answers:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        self._words.seek(0)
        raise SystemExit(f"{self.who} failed:\n{self._words.read().strip()[-2000:]}")

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def processes(engines: Sequence[Engine], folder: Path) -> Iterator[list[Process]]:
    """Start a process of every engine, and end them all whatever happens."""
    with ExitStack() as stack:
        started = []
        for engine in engines:
            words = stack.enter_context(tempfile.TemporaryFile("w+"))
            started.append(Process(engine, folder, words))
            stack.callback(started[-1].end)
        yield started


def engines() -> Iterator[Engine]:
    """Yield our engine and the peers that are there; say which are not."""
    yield Engine(OURS, (sys.executable, "-P", "-m", "bench.ours"), without=OLDER_KERNELS)
    python = os.environ.get(MXNET_VARIABLE)
    if python:
        yield Engine(MXNET, (python, "-W", "ignore", "-m", "bench.in_mxnet"), PINNED)
    else:
        print("There is no MXNet to compare with (--peers makes an environment with it).")
    if importlib.util.find_spec("torch") is not None:
        yield Engine(TORCH, (sys.executable, "-P", "-m", "bench.in_torch"), PINNED)
    else:
        print("There is no PyTorch to compare with (--peers installs it).")


def measure(names: Sequence[str], rounds: int) -> tuple[list[Found], Facts]:
    """Return what every turn of every round found, and what each engine computes, by engine and work."""
    found: list[Found] = []
    facts: Facts = {}
    works = [name for name in names if name != "start"]
    if works:
        asked = list(engines())
        with tempfile.TemporaryDirectory() as place:
            asked[0].write(Path(place))
            for number in range(rounds):
                print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
                with processes(asked, Path(place)) as ready:
                    for work in works:
                        for one in ready:
                            facts.setdefault(one.who, {})[work] = one.ask("prepare", work)
                        found += turns(ready)
    if "start" in names:
        for bare, window, usable in measure_start(rounds):
            found.append({OURS: {"window": {"seconds": window}, "ready": {"seconds": usable}}})
            found[-1][BARE] = {"window": {"seconds": bare}}
    return found, facts


def turns(ready: Sequence[Process]) -> Iterator[Found]:
    """Measure the work that all have prepared, one engine after the other, again and again."""
    for number in range(TURNS):
        first = number % len(ready)
        yield {one.who: one.ask("time", str(SECONDS)) for one in [*ready[first:], *ready[:first]]}


def differences(facts: Facts) -> list[str]:
    """Return a sentence for every net whose numbers are not the same in a peer, which would make its times void."""
    said = []
    for who, found in facts.items():
        for work, theirs in found.items():
            close = CLOSE_IN_DEEP.get(work, CLOSE)
            if who != OURS and "sums" in theirs and not _alike(facts[OURS][work], theirs, close):
                said.append(f"{work}: {who} computes other numbers, so its times mean nothing.")
    return said


def _alike(ours: Mapping[str, Any], theirs: Mapping[str, Any], close: float) -> bool:
    pairs = list(zip(ours["outputs"], theirs["outputs"], strict=True))
    if ours["sums"].keys() != theirs["sums"].keys():
        return False
    pairs += [(value, theirs["sums"][key]) for key, value in ours["sums"].items()]
    return all(abs(one - other) <= close * max(1.0, abs(one)) for one, other in pairs)


# The table -------------------------------------------------------------------------------------------------------


def table(names: Sequence[str], found: Sequence[Found]) -> list[list[str]]:
    """Return the lines of the table as columns of text."""
    lines = [["work", "ours", "beside", "takes", "ratio", "middle half", "goal", ""]]
    for goal in GOALS:
        if goal.name not in names:
            continue
        turns = [one for one in found if goal.work in one[OURS]]
        ours = [one[OURS][goal.work][goal.fact] for one in turns]
        first = [goal.title, duration(statistics.median(ours))]
        if not goal.ratios:
            wanted, verdict = ("", "") if goal.most is None else _against(statistics.median(ours), goal.most)
            lines.append([*first, "", "", "", "", wanted, verdict])
        for who, most in goal.ratios.items():
            lines.append([*first, *_beside(goal, who, most, ours, turns)])
            first = ["", ""]
    return lines


def _beside(goal: Goal, who: str, most: float, ours: Sequence[float], turns: Sequence[Found]) -> list[str]:
    work = goal.beside or goal.work
    if any(work not in one.get(who, {}) for one in turns):
        return [who, "not here", "", "", f"≤ {most:g}", ""]
    theirs = [one[who][work]["seconds"] for one in turns]
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    low, high = np.quantile(ratios, (0.25, 0.75))
    spread = f"{_ratio(low)}–{_ratio(high)}"
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
    found, facts = measure(names, options.rounds)
    print(laid_out(table(names, found)))
    said = differences(facts)
    print("\n".join(said), end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
