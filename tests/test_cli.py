"""The command line keeps to its contract: answers on stdout, refusals as one line on stderr with exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.engine import Variable, load_symbol, sym
from app.engine.backends.computing import is_installed
from app.services.symbol_json import write_symbol
from tests.detection_files import detection_file
from tests.opaque_files import SENTENCE, opaque_file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    net = sym.SoftmaxOutput(sym.FullyConnected(Variable("data"), num_hidden=3, name="fc"), name="softmax")
    path = tmp_path / "model.json"
    path.write_text(write_symbol(net), encoding="utf-8")
    return path


def test_shapes_prints_one_object(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shapes", str(model), "--shape", "data=4,5", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["arguments"] == {"data": [4, 5], "fc_weight": [3, 5], "fc_bias": [3], "softmax_label": [4]}
    assert answer["outputs"] == {"softmax_output": [4, 3]}
    assert "fc_output" in answer["internals"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "data"),
        (["--shape", "data=4,5", "--shape", "nope=1"], "nope"),
        (["--shape", "data=4,x"], "data=4,x"),
        (["--shape", "data=4,5", "--shape", "fc_weight=3,6"], "fc"),
    ],
)
def test_refusals_are_one_line(model: Path, capsys: pytest.CaptureFixture[str], words, named) -> None:
    assert main(["shapes", str(model), *words, "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert named in printed.err
    assert printed.err.count("\n") == 1


def test_partial_prints_open_dimensions(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shapes", str(model), "--shape", "data=0,5", "--partial", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["outputs"] == {"softmax_output": [0, 3]}
    assert answer["arguments"]["softmax_label"] == [0]


def test_run_writes_outputs_gradients_and_states(model: Path, tmp_path: Path) -> None:
    inputs, outputs = tmp_path / "in.npz", tmp_path / "out.npz"
    rng = np.random.default_rng(0)
    arrays = {
        "arg:data": rng.normal(size=(4, 5)),
        "arg:fc_weight": rng.normal(size=(3, 5)),
        "arg:fc_bias": np.zeros(3),
        "arg:softmax_label": np.array([0, 1, 2, 1]),
        "grad:fc_bias": np.full(3, 10),
    }
    np.savez(inputs, **{name: array.astype(np.float32) for name, array in arrays.items()})
    words = ["run", str(model), "--inputs", str(inputs), "--outputs", str(outputs), "--train", "--backward"]
    assert main([*words, "--grad-req", "write", "--grad-req", "data=null", "--grad-req", "fc_bias=add"]) == 0
    answer = np.load(outputs)
    assert answer["output_order"].tolist() == ["softmax_output"]
    assert answer["output:softmax_output"].shape == (4, 3)
    assert "grad:data" not in answer
    np.testing.assert_allclose(answer["grad:fc_bias"].sum(), 30, rtol=1e-5)  # the rows of p − onehot sum to 0


def test_a_batch_goes_on_after_a_refusal(model: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    cases = [
        {"id": "good", "model": model.name, "shape": {"data": [4, 5]}},
        {"id": "bad", "model": model.name, "shape": {}},
        {"id": "missing", "model": "nowhere.json", "shape": {}},
    ]
    index.write_text(json.dumps({"cases": cases}), encoding="utf-8")
    outdir = tmp_path / "new" / "folder"
    assert main(["shapes-batch", str(index), "--outdir", str(outdir)]) == 0
    assert sorted(path.name for path in outdir.iterdir()) == [
        "bad.error.txt",
        "good.json",
        "missing.error.txt",
    ]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_text("this is not JSON", encoding="utf-8")
    assert main(["shapes", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_opaque_node_is_refused_but_for_partial_shapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, inputs = tmp_path / "q.json", tmp_path / "in.npz"
    path.write_text(opaque_file(), encoding="utf-8")
    np.savez(inputs, **{"arg:data": np.zeros((2, 3)), "arg:q_weight": np.zeros(3)})
    for words in (["shapes"], ["run", "--inputs", str(inputs), "--outputs", str(tmp_path / "out.npz")]):
        assert main([words[0], str(path), *words[1:]]) == 2
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n")) == ("", 1)
        assert printed.err.startswith(SENTENCE)
    assert main(["shapes", str(path), "--partial"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["arguments"] == {"data": [2, 3], "q_weight": []}
    assert answer["internals"]["q_output1"] == [2, 3]


@pytest.fixture
def old_pool(tmp_path: Path) -> Path:
    """A file from before 0.8 with one pooling that has two windows today and had three."""
    param = {"kernel": "(2, 2)", "stride": "(2, 2)", "pool_type": "max"}
    nodes = [
        {"op": "null", "param": {}, "name": "x", "inputs": []},
        {"op": "Pooling", "param": param, "name": "pool", "inputs": [[0, 0]]},
    ]
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0]]}), encoding="utf-8")
    return path


@pytest.mark.parametrize(("words", "count"), [([], 2), (["--repair"], 3)])
def test_an_old_file_is_read_as_mxnet_reads_it_unless_it_is_repaired(
    old_pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], count: int
) -> None:
    wanted = [1, 1, count, count]
    assert main(["shapes", str(old_pool), "--shape", "x=1,1,5,5", *words]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == {"pool_output": wanted}
    inputs, outputs = tmp_path / "in.npz", tmp_path / "out.npz"
    np.savez(inputs, **{"arg:x": np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)})
    assert main(["run", str(old_pool), "--inputs", str(inputs), "--outputs", str(outputs), *words]) == 0
    assert list(np.load(outputs)["output:pool_output"].shape) == wanted

    index, outdir = tmp_path / "index.json", tmp_path / "answers"
    case = {"id": "old", "model": old_pool.name, "inputs": inputs.name, "shape": {"x": [1, 1, 5, 5]}}
    index.write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    assert main(["shapes-batch", str(index), "--outdir", str(outdir), *words]) == 0
    assert json.loads((outdir / "old.json").read_text())["outputs"] == {"pool_output": wanted}
    assert main(["run-batch", str(index), "--outdir", str(outdir), *words]) == 0
    assert list(np.load(outdir / "old.npz")["output:pool_output"].shape) == wanted


def test_every_command_that_reads_a_model_repairs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, inputs = tmp_path / "boxes.json", tmp_path / "in.npz"
    path.write_text(detection_file(), encoding="utf-8")
    np.savez(inputs, **{"arg:x": np.zeros((1, 1, 5, 5), np.float32)})
    shape = ["--shape", "x=1,1,5,5"]
    for words in (
        ["shapes", *shape],
        ["cost", *shape, "--json"],
        ["check-gradient", "--inputs", str(inputs)],
    ):
        command = [words[0], str(path), *words[1:]]
        assert main(command) == 2
        assert "boxes" in capsys.readouterr().err
        assert main([*command, "--repair"]) == 0
        assert capsys.readouterr().out


def test_load_symbol_repairs_when_told_to(old_pool: Path) -> None:
    assert load_symbol(old_pool).infer_shape(x=(1, 1, 5, 5))[1] == [(1, 1, 2, 2)]
    assert load_symbol(old_pool, repair=True).infer_shape(x=(1, 1, 5, 5))[1] == [(1, 1, 3, 3)]


def test_check_gradient_prints_a_table_or_json(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "arg:data": rng.normal(size=(4, 5)).astype(np.float32),
        "arg:fc_weight": rng.normal(size=(3, 5)).astype(np.float32),
        "arg:fc_bias": np.zeros(3, np.float32),
        "arg:softmax_label": np.array([0, 1, 2, 1], np.float32),
    }
    inputs = tmp_path / "in.npz"
    np.savez(inputs, **arrays)
    words = ["check-gradient", str(model), "--inputs", str(inputs), "--train"]
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("All 3 gradients agree with finite differences.\n")
    assert main([*words, "--of", "fc_weight", "fc_output", "--samples", "4", "--step", "1e-4", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["agrees"] is True
    assert [check["name"] for check in answer["checks"]] == ["fc_weight", "fc_output"]
    assert [len(check["elements"]) for check in answer["checks"]] == [4, 4]
    assert main([*words, "--of", "nope"]) == 2
    assert "nope" in capsys.readouterr().err


def test_cost_counts_and_plans(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cost", str(model), "--shape", "data=4,5"]
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["parameters"], answer["nodes"][0]["multiply_adds"]) == (18, 60)
    assert [node["name"] for node in answer["nodes"]] == ["fc", "softmax"]
    assert answer["memory"]["arguments"] == 4 * (20 + 15 + 3 + 4)
    assert answer["memory"]["inference"] == {"shared": 64, "unshared": 128, "alive": 64}
    assert main(words) == 0
    assert "with shared memory" in capsys.readouterr().out
    assert main(["cost", str(model)]) == 2
    assert main([*words, "--shape", "nope=1"]) == 2


def inputs_for(model: Path, tmp_path: Path) -> Path:
    path = tmp_path / "in.npz"
    rng = np.random.default_rng(0)
    shapes = {"data": (4, 5), "fc_weight": (3, 5), "fc_bias": (3,), "softmax_label": (4,)}
    np.savez(path, **{f"arg:{name}": rng.random(shape, np.float32) for name, shape in shapes.items()})
    return path


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
def test_pytorch_runs_a_model_and_a_list(model: Path, tmp_path: Path) -> None:
    inputs = inputs_for(model, tmp_path)
    index, found = tmp_path / "index.json", {}
    index.write_text(
        json.dumps({"cases": [{"id": "one", "model": model.name, "inputs": inputs.name, "backward": True}]}),
        encoding="utf-8",
    )
    for backend in ("numpy", "torch"):
        chosen, folder = ["--backend", backend, "--device", "cpu"], tmp_path / backend
        words = ["run", str(model), "--inputs", str(inputs), "--outputs", str(tmp_path / f"{backend}.npz")]
        assert main([*words, "--backward", *chosen]) == 0
        assert main(["run-batch", str(index), "--outdir", str(folder), *chosen]) == 0
        found[backend] = [np.load(tmp_path / f"{backend}.npz"), np.load(folder / "one.npz")]
    for wanted, got in zip(found["numpy"], found["torch"], strict=True):
        assert sorted(wanted.files) == sorted(got.files)
        for name in wanted.files:
            if name != "output_order":
                np.testing.assert_allclose(got[name], wanted[name], 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        (["--backend", "jax"], "choose numpy or torch"),
        (["--device", "cuda:0"], "choose the backend torch"),
        (["--backend", "torch", "--device", "cuda:77"], "PyTorch"),
    ],
)
def test_a_backend_that_is_not_there_is_refused_in_one_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], chosen: list[str], named: str
) -> None:
    inputs, index = inputs_for(model, tmp_path), tmp_path / "index.json"
    index.write_text('{"cases": []}', encoding="utf-8")
    words = ["run", str(model), "--inputs", str(inputs), "--outputs", str(tmp_path / "out.npz")]
    for command in (words, ["run-batch", str(index), "--outdir", str(tmp_path / "out")]):
        assert main([*command, *chosen]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1
        assert named in printed.err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("shape MODEL", "There is no command shape. Did you mean shapes?"),
        ("bogus MODEL", "There is no command bogus. There are: gui, shapes"),
        ("shapez", "There is no file shapez. Did you mean shapes?"),
        ("shapes --json", "chalkgraph shapes: the following arguments are required: model."),
        ("shapes MODEL --shpe data=4,5", "chalkgraph shapes does not take --shpe. Did you mean --shape?"),
        ("shapes MODEL more", "chalkgraph shapes does not take more."),
        ("shapes MODEL --shape dota=4,5", "There is no argument named 'dota'. Did you mean data?"),
        ("check-gradient MODEL --inputs x --step 0", "argument --step: '0' is not a number above 0."),
        (
            "check-gradient MODEL --inputs x --seed -1",
            "argument --seed: '-1' is not a whole number from 0 on.",
        ),
        ("run MODEL --inputs nosuch.npz --outputs o.npz", "nosuch.npz could not be read: No such file"),
        ("run MODEL --inputs x --outputs y --grad-req dota=null", "named 'dota'. Did you mean data?"),
        ("shapes-batch MODEL --outdir OUT", 'it must be an object with a list "cases".'),
    ],
)
def test_wrong_words_are_refused_in_one_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, line: str
) -> None:
    places = {"MODEL": str(model), "OUT": str(tmp_path / "out")}
    assert main([places.get(word, word) for word in words.split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert line in printed.err


def test_an_array_under_another_name_is_pointed_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(inputs_for(model, tmp_path)) as file:
        arrays = {name.replace("fc_weight", "fc_wieght"): array for name, array in file.items()}
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, **arrays)
    assert main(["run", str(model), "--inputs", str(wrong), "--outputs", str(tmp_path / "o.npz")]) == 2
    assert "has no arg:fc_weight. It has arg:fc_wieght; was that meant?" in capsys.readouterr().err


def test_what_is_wrong_with_a_case_does_not_stop_the_batch(model: Path, tmp_path: Path) -> None:
    sound = {"model": model.name, "inputs": inputs_for(model, tmp_path).name}
    cases = [
        {"id": "none", "model": model.name},
        {"id": "number", **sound, "inputs": 5},
        {"id": "words", **sound, "grad_req": 5},
        {"id": "last", **sound},
    ]
    (tmp_path / "index.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
    assert main(["run-batch", str(tmp_path / "index.json"), "--outdir", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "last.npz",
        "none.error.txt",
        "number.error.txt",
        "words.error.txt",
    ]
    assert "grad_req" in (tmp_path / "out" / "words.error.txt").read_text(encoding="utf-8")


def test_a_damaged_symbol_file_is_named_with_the_place_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"nodes": [{"op": "null"', encoding="utf-8")
    assert main(["shapes", str(path)]) == 2
    assert "cut.json: This is no symbol file" in (line := capsys.readouterr().err) and "line 1 column" in line


def test_a_reader_that_has_seen_enough_is_no_fault(model: Path) -> None:
    words = [sys.executable, "-m", "app", "cost", str(model), "--shape", "data=4,5"]
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()  # as `head` does
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_repair_is_pointed_out_where_it_may_help(
    old_pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advice = "--repair mends what older MXNets wrote otherwise in this file."
    detection = tmp_path / "detection.json"
    detection.write_text(detection_file(), encoding="utf-8")
    assert main(["shapes", str(detection), "--shape", "x=1,3,8,8"]) == 2
    assert advice in capsys.readouterr().err
    assert main(["shapes", str(old_pool), "--shape", "x=1,1,1"]) == 2
    assert advice in capsys.readouterr().err
    assert main(["shapes", str(old_pool), "--shape", "y=1,1,5,5"]) == 2
    assert advice not in capsys.readouterr().err
    assert main(["shapes", str(old_pool), "--shape", "x=1,1,1", "--repair"]) == 2
    assert advice not in capsys.readouterr().err


def test_numbers_that_are_none_are_answers_and_no_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, given, out = tmp_path / "log.json", tmp_path / "in.npz", tmp_path / "out.npz"
    model.write_text(write_symbol(sym.log(Variable("x"), name="log")), encoding="utf-8")
    np.savez(given, **{"arg:x": np.zeros(2, np.float32), "head:0": np.ones(2, np.float32)})
    words = ["run", str(model), "--inputs", str(given), "--outputs", str(out), "--backward"]
    assert main(words) == 0 and capsys.readouterr().err == ""
    with np.load(out) as answer:
        assert np.isinf(answer["output:log_output"]).all() and np.isinf(answer["grad:x"]).all()


def test_a_layer_without_one_of_its_wires_is_told_both_ways_out(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(model.read_text(encoding="utf-8"))
    next(node for node in plain["nodes"] if node["name"] == "fc")["inputs"].pop()
    model.write_text(json.dumps(plain), encoding="utf-8")
    assert main(["shapes", str(model), "--shape", "data=4,5", "--json"]) == 2
    assert capsys.readouterr().err.endswith("but has 2. Wire bias too, or set no_bias to True.\n")


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\0", "\ud800", "x" * 201])
def test_a_case_whose_id_can_name_no_file_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"cases": [{"id": name, "model": model.name, "shape": {"data": [4, 5]}}]}))
    assert main(["shapes-batch", str(index), "--outdir", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert "is no name for a file" in line and line.count("\n") == 1 and len(line) < 200


def test_an_answer_that_cannot_be_written_is_told(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"cases": [{"id": "one", "model": model.name, "shape": {"data": [4, 5]}}]}))
    (tmp_path / "out" / "one.json").mkdir(parents=True)
    assert main(["shapes-batch", str(index), "--outdir", str(tmp_path / "out")]) == 0
    assert "one.json could not be written" in (tmp_path / "out" / "one.error.txt").read_text(encoding="utf-8")
