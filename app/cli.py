"""The command line: the window, and everything the program does without one."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from app.engine.errors import EngineError

REFUSED = 2
NumberT = TypeVar("NumberT", int, float)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 refused with one line on stderr."""
    os.environ.setdefault(
        "OPENBLAS_THREAD_TIMEOUT", "18"
    )  # else its idle worker spins against ours; before numpy loads
    words = list(sys.argv[1:] if argv is None else argv)
    is_file = bool(words) and not words[0].startswith("-") and words[0] not in _COMMANDS
    if not words or (is_file and (len(words) == 1 or Path(words[0]).exists())):
        if words and not Path(words[0]).exists() and (advice := _near_command(words[0])):
            return _refuse(f"There is no file {words[0]}.{advice}")
        return _window(words[0] if words else None)
    if is_file:
        advice = _near_command(words[0]) or f" There are: {', '.join(_COMMANDS)}."
        return _refuse(f"There is no command {words[0]}.{advice}")
    from app.engine.errors import EngineError

    try:
        options = _read_words(words)
    except EngineError as error:
        return _refuse(str(error))
    try:
        result: int = options.run(options)
        sys.stdout.flush()
    except EngineError as error:
        return _refuse(f"{error}{_repair_advice(options, error)}")
    except BrokenPipeError:  # whoever reads the answer has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 0
    return result


def _repair_advice(options: argparse.Namespace, error: "EngineError") -> str:
    """Point out --repair where what is wrong may come from what it mends."""
    from app.engine.errors import EngineError, ShapeError
    from app.services.symbol_files import nodes_to_repair

    if getattr(options, "repair", True) or not hasattr(options, "model"):
        return ""
    try:
        mended = nodes_to_repair(Path(options.model))
    except EngineError:
        return ""
    is_about_it = error.node in mended or (mended and isinstance(error, ShapeError))
    return " --repair mends what older MXNets wrote otherwise in this file." if is_about_it else ""


def _refuse(line: str) -> int:
    print(line, file=sys.stderr)  # noqa: T201 - the refusal is the answer
    return REFUSED


def _near_command(word: str) -> str:
    from app.engine.nearby import did_you_mean

    return did_you_mean(word, _COMMANDS)


class _Parser(argparse.ArgumentParser):
    """Refuses words in one line, as everything else is refused."""

    def error(self, message: str) -> NoReturn:
        from app.engine.errors import BindError

        raise BindError(f"{self.prog}: {message}. {self.prog} --help tells what it takes.")


def _read_words(words: Sequence[str]) -> argparse.Namespace:
    from app.engine.errors import BindError
    from app.engine.nearby import did_you_mean

    parser, commands = _parser()
    options, unknown = parser.parse_known_args(words)
    if unknown:
        known = re.findall(r"--[a-z-]+", commands.choices[options.command].format_help())
        advice = (
            did_you_mean(unknown[0], known) or f" chalkgraph {options.command} --help tells what it takes."
        )
        raise BindError(f"chalkgraph {options.command} does not take {unknown[0]}.{advice}")
    return options


def _window(path: str | None) -> int:
    from app.shell.display import why_no_display

    reason = why_no_display()
    if reason is not None:
        return _refuse(reason)
    from app.shell.application import main as open_window

    return open_window(path)


def _shapes(options: argparse.Namespace) -> int:
    import json

    from app.services.headless import shapes_answer
    from app.services.symbol_files import load_symbol

    shapes = dict(_shape(word) for word in options.shape)
    answer = shapes_answer(
        load_symbol(Path(options.model), repair=options.repair), shapes, partial=options.partial
    )
    print(json.dumps(answer))  # noqa: T201
    return 0


def _cost(options: argparse.Namespace) -> int:
    import json

    from app.services.costing import as_json, as_table, cost_model
    from app.services.symbol_files import load_symbol

    symbol = load_symbol(Path(options.model), repair=options.repair)
    report = cost_model(symbol, dict(_shape(word) for word in options.shape))
    print(json.dumps(as_json(report)) if options.json else as_table(report))  # noqa: T201
    return 0


def _run(options: argparse.Namespace) -> int:
    from app.engine.binding import refuse_misspelt
    from app.services.headless import RunRequest, read_arrays, run_model, write_arrays
    from app.services.symbol_files import load_symbol

    symbol = load_symbol(Path(options.model), repair=options.repair)
    requests = {"*": "write"}
    for word in options.grad_req:
        name, equals, request = word.rpartition("=")
        requests[name if equals else "*"] = request
    refuse_misspelt("--grad-req", {name: "" for name in requests if name != "*"}, symbol.list_arguments())
    request = RunRequest(options.train, options.backward, requests, options.backend, options.device)
    answer = run_model(symbol, read_arrays(Path(options.inputs)), request)
    write_arrays(Path(options.outputs), answer)
    return 0


def _check_gradient(options: argparse.Namespace) -> int:
    import json

    from app.engine.checking.checked import CheckOptions
    from app.services.checking import as_json, as_table, check_model
    from app.services.headless import read_arrays
    from app.services.symbol_files import load_symbol

    how = CheckOptions(options.train, options.step, options.samples, options.seed)
    symbol = load_symbol(Path(options.model), repair=options.repair)
    answer = check_model(symbol, read_arrays(Path(options.inputs)), options.of, how)
    print(json.dumps(as_json(answer)) if options.json else as_table(answer))  # noqa: T201
    return 0


def _shapes_batch(options: argparse.Namespace) -> int:
    from app.services.headless import shapes_batch

    shapes_batch(Path(options.index), _folder(options.outdir), repair=options.repair)
    return 0


def _run_batch(options: argparse.Namespace) -> int:
    from app.services.headless import run_batch

    run_batch(
        Path(options.index),
        _folder(options.outdir),
        repair=options.repair,
        backend=options.backend,
        device=options.device,
    )
    return 0


def _folder(word: str) -> Path:
    """Make the folder for answers where it is not there."""
    from app.engine.errors import FormatError

    folder = Path(word)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(f"The folder {word} could not be made: {error.strerror}.") from error
    return folder


def _params(options: argparse.Namespace) -> int:
    from app.services.headless import write_arrays
    from app.services.params_file import read_params

    write_arrays(Path(options.outputs), read_params(Path(options.file)))
    return 0


def _shape(word: str) -> tuple[str, tuple[int, ...]]:
    """Read `NAME=1,3,224,224`."""
    from app.engine.errors import BindError, quoted

    name, equals, dims = word.rpartition("=")
    try:
        shape = tuple(int(size) for size in dims.strip("()").split(",") if size.strip())
    except ValueError:
        shape = ()
    if not equals or not name or not shape or min(shape) < 0:
        raise BindError(
            f"{quoted(word)} is no shape; write it like data=1,3,224,224, with 0 for an open dimension."
        )
    return name, shape


def _parser() -> tuple[argparse.ArgumentParser, "argparse._SubParsersAction[_Parser]"]:
    parser = _Parser(
        prog="chalkgraph",
        description="Draw computation. Without a command the window opens; the commands work without a display.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    gui = commands.add_parser("gui", help="open the window, with a file if one is named")
    gui.add_argument("file", nargs="?")
    gui.set_defaults(run=lambda options: _window(options.file))
    shapes = commands.add_parser("shapes", help="infer the shapes of a model and print them as JSON")
    shapes.add_argument("model")
    shapes.add_argument("--shape", action="append", default=[], metavar="NAME=DIMS")
    shapes.add_argument("--partial", action="store_true", help="open dimensions are printed as 0")
    shapes.add_argument("--json", action="store_true", help="print JSON (the only form there is)")
    shapes.set_defaults(run=_shapes)
    run = commands.add_parser("run", help="run a model forward, and backward if asked, on arrays from a file")
    run.add_argument("model")
    run.add_argument("--inputs", required=True, metavar="IN.npz")
    run.add_argument("--outputs", required=True, metavar="OUT.npz")
    run.add_argument("--train", action="store_true", help="forward with is_train on")
    run.add_argument("--backward", action="store_true")
    run.add_argument(
        "--grad-req", action="append", default=[], metavar="[NAME=]WORD", help="write, add or null"
    )
    _add_backend(run)
    run.set_defaults(run=_run)
    _add_check_gradient(commands)
    _add_cost(commands)
    for name, function, what in (
        ("shapes-batch", _shapes_batch, "answer `shapes` for a list of cases"),
        ("run-batch", _run_batch, "answer `run` for a list of cases"),
    ):
        batch = commands.add_parser(name, help=what)
        batch.add_argument("index")
        batch.add_argument("--outdir", required=True)
        if name == "run-batch":
            _add_backend(batch)
        batch.set_defaults(run=function)
    for name in _READING:
        commands.choices[name].add_argument(
            "--repair",
            action="store_true",
            help="mend what older MXNets wrote otherwise: pooling from before 0.8 rounds up, and operators such as"
            " MultiBoxPrior are found under the names they have today",
        )
    params = commands.add_parser("params", help="read an MXNet parameter file and write its arrays as .npz")
    params.add_argument("file")
    params.add_argument("--outputs", required=True, metavar="OUT.npz")
    params.set_defaults(run=_params)
    return parser, commands


def _add_check_gradient(commands: "argparse._SubParsersAction[_Parser]") -> None:
    check = commands.add_parser(
        "check-gradient",
        help="compare gradients with finite differences",
        description="Compare gradients with finite differences, in double precision. The exit code is 0 when the"
        " comparison was made, whatever came out: the last line says it, and `agrees` in the JSON.",
    )
    check.add_argument("model")
    check.add_argument(
        "--inputs", required=True, metavar="IN.npz", help="as for run; head:0 ... may be left out"
    )
    check.add_argument(
        "--of",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="arguments, or outputs of nodes; all arguments if left out",
    )
    check.add_argument("--step", type=_positive, metavar="H", help="how far an element is moved")
    check.add_argument(
        "--samples", type=_count, default=100, metavar="N", help="elements tried of each array"
    )
    check.add_argument("--seed", type=_seed, default=0, help="for samples, random nodes and head gradients")
    check.add_argument("--train", action="store_true", help="forward with is_train on")
    check.add_argument("--json", action="store_true", help="print JSON, with every element")
    check.set_defaults(run=_check_gradient)


def _positive(word: str) -> float:
    return _checked(float, word, lambda number: 0 < number < float("inf"), "a number above 0")


def _seed(word: str) -> int:
    return _checked(int, word, lambda number: number >= 0, "a whole number from 0 on")


def _count(word: str) -> int:
    return _checked(int, word, lambda number: number >= 1, "a whole number of at least 1")


def _checked(
    kind: Callable[[str], NumberT], word: str, fits: Callable[[NumberT], bool], wanted: str
) -> NumberT:
    """Read a number that an option takes."""
    try:
        number = kind(word)
    except ValueError:
        number = None
    if number is None or not fits(number):
        raise argparse.ArgumentTypeError(f"{word!r} is not {wanted}")
    return number


def _add_cost(commands: "argparse._SubParsersAction[_Parser]") -> None:
    cost = commands.add_parser("cost", help="count parameters, multiply-adds and bytes, and plan the memory")
    cost.add_argument("model")
    cost.add_argument("--shape", action="append", default=[], metavar="NAME=DIMS")
    cost.add_argument("--json", action="store_true", help="print JSON")
    cost.set_defaults(run=_cost)


def _add_backend(command: argparse.ArgumentParser) -> None:
    command.add_argument("--backend", default="numpy", help="numpy (the default) or torch")
    command.add_argument("--device", help="where torch computes: cpu (the default), cuda, cuda:1")


_READING = ("shapes", "run", "check-gradient", "cost", "shapes-batch", "run-batch")
"""The commands that read models."""
_COMMANDS = ("gui", *_READING, "params")
