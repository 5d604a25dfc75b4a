"""The measurements: what processes tell, what the table says of it, and that our engine runs every net."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import run
from bench.goals import GOALS, MXNET, NAMES, TORCH
from bench.nets import NETS, resnet152
from bench.ours import bind, numbers


def test_a_process_is_asked_line_by_line_and_other_lines_are_passed_over(tmp_path: Path) -> None:
    answer = "print('loading'); print('{\"heard\": \"%s\"}' % line.strip(), flush=True)"
    chatty = f"import sys\nfor line in sys.stdin: {answer}"
    engine = run.Engine("chatty", (sys.executable, "-c", chatty))
    with run.processes([engine], tmp_path) as (process,):
        assert process.ask("prepare", "mlp") == {"heard": "prepare mlp"}


def test_a_process_that_fails_is_quoted(tmp_path: Path) -> None:
    engine = run.Engine("broken", (sys.executable, "-c", "raise SystemExit('no such net')"))
    with run.processes([engine], tmp_path) as (process,), pytest.raises(SystemExit, match="no such net"):
        process.ask("prepare", "mlp")


def test_engines_take_turns() -> None:
    asked = []

    class Ready:
        def __init__(self, who: str) -> None:
            self.who = who

        def ask(self, word: str, _about: str) -> dict[str, object]:
            asked.append(f"{self.who} {word}")
            return {}

    turns = list(run.turns([Ready("a"), Ready("b")]))
    assert asked[:4] == ["a time", "b time", "b time", "a time"]
    assert len(turns) == run.TURNS


def turns_of(ours: list[float], theirs: list[float]) -> list[run.Found]:
    return [
        {run.OURS: {"mlp step": {"seconds": one}}, MXNET: {"mlp step": {"seconds": other}}}
        for one, other in zip(ours, theirs, strict=True)
    ]


def test_a_ratio_is_the_median_of_the_turns_with_their_middle_half() -> None:
    _, mxnet, torch = run.table(["mlp"], turns_of([1e-3, 3e-3, 2e-3], [2e-3, 2e-3, 8e-3]))
    assert mxnet == ["MLP step", "2 ms", "MXNet", "2 ms", "0.50", "0.38–1.00", "≤ 0.85", "met"]
    assert torch[2:4] == [TORCH, "not here"]


def test_a_goal_that_is_missed_is_said_to_be() -> None:
    assert run.table(["mlp"], turns_of([2e-3], [2e-3]))[1][-1] == "NOT MET"


def test_a_limit_in_seconds_needs_no_peer() -> None:
    answers = {"wire": {"seconds": 9e-6, "longest": 1e-3}, "draw": {"seconds": 1.0}}
    lines = run.table(["wire"], [{run.OURS: answers}])
    assert [line[-2:] for line in lines[1:]] == [
        ["≤ 25 µs", "met"],
        ["≤ 5 ms", "met"],
        ["", ""],
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(6.91e-7, "0.691 µs"), (2.5e-5, "25 µs"), (0.0123, "12.3 ms"), (2.0, "2 s")]
)
def test_times_have_three_digits(seconds: float, text: str) -> None:
    assert run.duration(seconds) == text


def test_other_numbers_make_times_void() -> None:
    ours = {"mlp": {"outputs": [0.5], "sums": {"w": 10.0}}}
    theirs = {"mlp": {"outputs": [0.5], "sums": {"w": 10.5}}}
    assert run.differences({run.OURS: ours, MXNET: ours}) == []
    assert "MXNet computes other numbers" in run.differences({run.OURS: ours, MXNET: theirs})[0]


def test_columns_stand_under_each_other() -> None:
    assert run.laid_out([["a", "bb", ""], ["ccc", "d", "e"]]) == "a    bb\nccc  d   e"


def test_an_unknown_name_is_refused_with_those_there_are(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "nope"])
    with pytest.raises(SystemExit):
        run.main()
    assert "toy, mlp" in capsys.readouterr().err


def test_every_net_has_a_goal_and_every_goal_a_name() -> None:
    assert set(NETS) < set(NAMES)
    assert all(goal.ratios or goal.most or goal.work in ("ready", "draw") for goal in GOALS)


@pytest.mark.parametrize("name", [name for name in NETS if name != "resnet20"])
def test_our_engine_runs_every_net(name: str) -> None:
    net = NETS[name]()
    executor = bind(net, numbers(net))
    executor.forward(is_train=True)
    executor.backward(np.ones(1, np.float32) if name == "toy" else None)
    wanted = {key for key, request in net.requests().items() if request == "write"}
    written = {key for key, grad in executor.grad_dict.items() if grad is not None}
    assert written == wanted
    assert all(np.abs(executor.grad_dict[key]).sum() > 0 for key in wanted)


def test_the_large_net_is_the_one_that_is_known() -> None:
    symbol = resnet152().symbol
    arguments, outputs, _ = symbol.infer_shape(data=(1, 3, 224, 224))
    assert outputs == [(1, 1000)]
    assert len(symbol.graph.nodes) == 1286
    assert sum(int(np.prod(shape)) for shape in arguments[1:-1]) == 60_185_262


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_computes_the_same_nets() -> None:
    import torch

    from bench import in_torch

    for name in ("toy", "mlp", "lenet", "lstm", "transformer"):
        net = NETS[name]()
        arrays = numbers(net)
        executor = bind(net, arrays)
        ours = executor.forward(is_train=True)[0]
        found = in_torch.NETS[name]({key: torch.from_numpy(value) for key, value in arrays.items()})
        theirs = (found if name == "toy" else torch.softmax(found, 1)).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
