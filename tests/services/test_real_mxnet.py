"""What Chalkgraph writes, a real MXNet 1.9.1 loads to the same names, shapes and numbers.

Runs where `CHALKGRAPH_MXNET` names a Python that has MXNet: `python3 start.py test --peers` sees to that.
"""

import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import attrs
import numpy as np
import pytest

from app.document.checks import analyse
from app.engine import Group, Variable, sym
from app.engine.inference.infer import infer
from app.engine.naming import AttrScope, NameManager, Prefix
from app.engine.operator import Array
from app.engine.registry import canonical_operators
from app.engine.symbol import Symbol, make_node
from app.services.gallery import entries, open_entry
from app.services.params_file import read_params
from app.services.proposals import propose_value
from app.services.symbol_json import read_symbol, write_symbol
from app.services.values import ValueShapes
from tests.control_flow import NAMES, control_flow, waiting_file
from tests.detection_files import detection_file
from tests.old_inception import old_inception
from tests.operator_cases import Case
from tests.services.real_mxnet import LAYOUTS, PYTHON, Job, RealMXNet, examples_of, listed

if not PYTHON:
    pytest.skip("no MXNet is at hand (python3 start.py test --peers)", allow_module_level=True)
pytestmark = pytest.mark.peers

ARCHIVE = ZipFile(Path(__file__).parents[1] / "golden" / "cases.zip")
GOLDEN = {case["id"]: case for case in json.loads(ARCHIVE.read("run/index.json"))["cases"]}
EXAMPLES = {
    f"{operator.op_name}-{number}": (operator, example)
    for operator in canonical_operators()
    for number, example in enumerate(operator.examples)
}


# What MXNet does not do, or does by chance --------------------------------------------------------------------------

NOT_RUN = {
    "example reverse-1": "must be in range",
    "example Convolution-6": "Only support NCW, NCHW and NCDHW layout",
    "example Deconvolution-5": "do not match total elements",  # channels last are for graphics cards
    "example BatchNorm_v1-3": "dimension do not match",  # images only
    "example BatchNorm_v1-4": "dimension do not match",
    "example _np_cumsum-2": "must be in range",
    **{
        f"example _square_sum-{number}": "Operator not implemented" for number in range(6)
    },  # of sparse rows only
    "example im2col-2": "must be in range",
    "example col2im-2": "must be in range",
}
"""Symbols that MXNet loads, but does not run on this kind of processor."""
SUMS_OF_MANY = ("example Convolution-8",)
"""Its terms nearly cancel, so rounding in another order shows as a share of the largest number, not of each."""
WITHOUT_GRADIENT = (
    "_grad_add",
    "khatri_rao",
    "batch_take",
    "sort",
    "_shuffle",
    "_contrib_ModulatedDeformableConvolution",
    "_CrossDeviceCopy",
)
"""Operators of which MXNet has no gradient, or none that works."""
BY_CHANCE = ("Dropout", "_random", "_sample", "_shuffle", "LeakyReLU-7", "LeakyReLU-8", "RNN-5")
"""Beginnings of the names of what draws random numbers."""
NO_BUFFER = {"Embedding": "x_data", "take": "x_indices", "softmax_cross_entropy": "op_label"}
"""Inputs for whose gradients MXNet takes no buffer to add to."""
ADDED_OTHERWISE = (
    *(f"adding _linalg_{name}" for name in ("gemm", "gelqf", "trmm", "trsm")),
    "adding _contrib_BilinearResize2D-4",
)
"""Where MXNet adds to memory that nobody has written, lets one gradient write over another, or clears a part only."""
NOT_COMPARED = {
    "example RNN-4": "MXNet heeds sequence lengths on graphics cards only",
    "example _contrib_SyncBatchNorm-4": "MXNet leaves the statistics of a prediction unwritten",
    "example _contrib_box_nms-0": "the boxes of the example have their corners the wrong way round",
    "example _contrib_box_nms-1": "the boxes of the example have their corners the wrong way round",
}
LABELS_GIVEN = ("softmax_cross_entropy", "CTCLoss")
"""Operators whose labels MXNet wants the shapes of."""
WITHOUT_WINNERS = ("example Pooling-11",)
"""Pooling with channels last: MXNet counts no hidden output there, and the engine keeps who won. Nothing reads it."""
NEVER_RUN = (
    "symbol repaired",
    "symbol found",
    "symbol waiting",
    *(f"inside {name}" for name in NAMES),
)
"""Symbols of which only the files, and what follows from them, are compared."""
WHOLE_NUMBERS = {("softmax", "length"), ("batch_take", "indices")}
"""Inputs that MXNet only takes as whole numbers."""


# Jobs ------------------------------------------------------------------------------------------------------------


def example_job(name: str) -> Job:
    """Compose an operator from Variables where its example gives shapes; the other inputs make themselves."""
    operator, example = EXAMPLES[name]
    case = Case(operator, example)
    given = {port.name: Variable(f"x_{port.name}") for port in case.ports if port.name in example.shapes}
    settings = dict(example.settings)
    if operator.variadic:
        settings.setdefault(operator.variadic, len(example.shapes))
        symbol = make_node(operator.op_name, *given.values(), name="op", **settings)
    else:
        symbol = make_node(operator.op_name, name="op", **given, **settings)
    node = symbol.heads[0][0]
    arrays: dict[str, Array] = {}
    for number, ((variable, _), array) in enumerate(zip(node.inputs, case.numbers(), strict=True)):
        kind = "arg" if number < len(case.node.inputs) else "aux"
        whole = (operator.op_name, case.ports[number].name) in WHOLE_NUMBERS
        arrays[f"{kind}:{variable.name}"] = array.astype(np.int32) if whole else array
    heads = case.head_gradients()
    arrays |= {f"head:{number}": array for number, array in enumerate(heads)}
    gradients = case.wanted() if operator.op_name not in WITHOUT_GRADIENT else []
    wanted = [node.inputs[index][0].name for index in gradients]
    given_shapes = zip(node.inputs, case.in_shapes, strict=True)
    shapes = {
        variable.name: shape
        for (variable, _), shape in given_shapes
        if variable.name.startswith("x_") or operator.op_name in LABELS_GIVEN
    }
    return Job(symbol, shapes, arrays, example.train, dict.fromkeys(wanted, "write"))


def adding_job(name: str) -> Job:
    """Let an operator add its gradients to buffers that hold numbers already, those of labels too."""
    written = example_job(name)
    rng = np.random.default_rng(6)
    held = {
        key.replace("arg:", "grad:"): rng.uniform(50, 100, array.shape).astype(array.dtype)
        for key, array in written.arrays.items()
        if key.startswith("arg:")
    }
    refused = NO_BUFFER.get(EXAMPLES[name][0].op_name)
    names = [argument for argument in written.symbol.list_arguments() if argument != refused]
    names = names if written.requests else []
    return attrs.evolve(written, arrays={**written.arrays, **held}, requests=dict.fromkeys(names, "add"))


def golden_job(case_id: str) -> Job:
    """Take a golden case as it is read, with its own arrays."""
    case = GOLDEN[case_id]
    with np.load(io.BytesIO(ARCHIVE.read(f"run/{case['inputs']}"))) as file:
        arrays = {key: file[key] for key in file.files if key.startswith(("arg:", "aux:", "head:"))}
    symbol = read_symbol(ARCHIVE.read(f"run/{case['model']}").decode())
    shapes = {key: tuple(dims) for key, dims in case["shape"].items()}
    return Job(symbol, shapes, arrays, case["train"], {}, case["rtol"], case["atol"])


def filled_job(symbol: Symbol, shapes: dict[str, tuple[int, ...]], *, train: bool = True) -> Job:
    """Give every array numbers that suit it, and ask for every gradient that a label is not."""
    graph = symbol.graph
    inference = infer(graph, shapes)
    rng = np.random.default_rng(5)
    arrays: dict[str, Array] = {}
    for index in (*graph.arguments, *graph.auxiliary):
        proposal = propose_value(graph, index, inference)
        kind = "arg" if index in graph.arguments else "aux"
        shape = inference.shape((index, 0))
        arrays[f"{kind}:{graph.nodes[index].name}"] = proposal.fill(shape, np.dtype("float32"), rng)
    for number, head in enumerate(graph.heads):
        arrays[f"head:{number}"] = rng.uniform(-1, 1, inference.shape(head)).astype(np.float32)
    names = [name for name in graph.names(graph.arguments) if "label" not in name]
    return Job(symbol, shapes, arrays, train, dict.fromkeys(names, "write"), 1e-3, 1e-4)


def gallery_job(entry_id: str) -> Job:
    """Take a document of the gallery with the shapes that it gives."""
    analysis = analyse(open_entry(entry_id), ValueShapes())
    assert analysis.symbol is not None and analysis.inference is not None
    return filled_job(analysis.symbol, dict(analysis.inference.given))


def named_by_themselves() -> Symbol:
    with NameManager(), Prefix("p_"):
        x = Variable("x")
        hidden = sym.FullyConnected(x, num_hidden=3)
        return sym.FullyConnected((hidden + 1) * hidden - sym.tanh(-hidden), num_hidden=2)


def with_attributes() -> Symbol:
    with AttrScope(ctx_group="dev1", __mood__="calm"):
        x = Variable("x", lr_mult=0.5, wd_mult=2, init='["normal", {"sigma": 0.1}]', shape=(2, 3))
        first = sym.FullyConnected(x, num_hidden=4, name="fc", attr={"__lr_mult__": "3"})
    return sym.BatchNorm(first, name="bn", fix_gamma=False)


def shared_and_split() -> Symbol:
    weight = Variable("w")
    first = sym.FullyConnected(Variable("x"), weight, num_hidden=6, no_bias=True, name="a")
    second = sym.FullyConnected(first, weight, num_hidden=6, no_bias=True, name="b")
    parts = sym.SliceChannel(second, num_outputs=3, name="parts")
    return Group([parts[2], sym.Concat(*parts, dim=1, name="again"), parts[0] * parts[1], second])


def with_hidden_outputs() -> Symbol:
    x = sym.Dropout(sym.Pooling(Variable("x"), kernel=(2, 2), name="pool"), p=0.5, name="drop")
    return Group([sym.LRN(x, nsize=3, name="lrn"), sym.L2Normalization(x, name="norm")])


SYMBOLS: dict[str, Callable[[], Job]] = {
    "names": lambda: filled_job(named_by_themselves(), {"x": (2, 5)}),
    "attributes": lambda: filled_job(with_attributes(), {}),
    "shared": lambda: filled_job(shared_and_split(), {"x": (2, 6)}),
    "hidden": lambda: filled_job(with_hidden_outputs(), {"x": (1, 4, 4, 4)}, train=False),
    "internals": lambda: filled_job(with_attributes().get_internals(), {}, train=False),
    "variable": lambda: filled_job(Variable("x"), {"x": (2,)}),
    "repaired": lambda: Job(
        read_symbol(old_inception(), repair=True), {"data": (2, 3, 224, 224)}, runs=False
    ),
    "found": lambda: Job(read_symbol(detection_file(), repair=True), {"x": (1, 1, 5, 5)}, runs=False),
    "waiting": lambda: Job(read_symbol(waiting_file()), dict.fromkeys("abcd", (2,)), runs=False),
}
JOBS: dict[str, Callable[[], Job]] = {
    **{f"example {name}": lambda name=name: example_job(name) for name in EXAMPLES},  # type: ignore[misc]
    **{f"adding {name}": lambda name=name: adding_job(name) for name in EXAMPLES},  # type: ignore[misc]
    **{f"golden {name}": lambda name=name: golden_job(name) for name in GOLDEN},  # type: ignore[misc]
    **{f"gallery {one.id}": lambda name=one.id: gallery_job(name) for one in entries()},  # type: ignore[misc]
    **{f"symbol {name}": make for name, make in SYMBOLS.items()},
    **{
        f"inside {name}": lambda name=name: Job(read_symbol(control_flow(name)), {}, runs=False)
        for name in NAMES
    },  # type: ignore[misc]
}


@cache
def job(name: str) -> Job:
    return JOBS[name]()


@pytest.fixture(scope="module")
def mxnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMXNet]:
    """Return MXNet's answers to all jobs."""
    yield RealMXNet(tmp_path_factory.mktemp("mxnet"), {name: job(name) for name in JOBS})
    job.cache_clear()


# Symbols ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", JOBS)
def test_mxnet_writes_the_same_file(mxnet: RealMXNet, name: str) -> None:
    written = json.loads(write_symbol(job(name).symbol))
    assert "written" in mxnet.answers[name], mxnet.answers[name]["error"]
    again = mxnet.answers[name]["written"]
    if name in WITHOUT_WINNERS:
        again.pop("node_row_ptr")
        written.pop("node_row_ptr")
    assert again == written


@pytest.mark.parametrize("name", [name for name in JOBS if not name.startswith("inside")])
def test_names_attributes_and_shapes_are_the_same(mxnet: RealMXNet, name: str) -> None:
    symbol, answer = job(name).symbol, mxnet.answers[name]
    assert "internal_shapes" in answer, answer["error"]
    assert answer["arguments"] == symbol.list_arguments()
    assert answer["outputs"] == symbol.list_outputs()
    assert answer["auxiliary_states"] == symbol.list_auxiliary_states()
    assert answer["internals"] == symbol.get_internals().list_outputs()
    assert answer["attributes"] == symbol.attr_dict()
    shapes = dict(job(name).shapes)
    assert answer["shapes"] == [listed(found) for found in symbol.infer_shape_partial(**shapes)]
    assert answer["internal_shapes"] == listed(symbol.get_internals().infer_shape_partial(**shapes)[1])


@pytest.mark.parametrize("name", NOT_RUN)
def test_what_mxnet_does_not_do_is_known(mxnet: RealMXNet, name: str) -> None:
    assert NOT_RUN[name] in mxnet.answers[name]["error"]


def is_compared(name: str) -> bool:
    """Tell whether the numbers of a job are MXNet's on every run."""
    kind, _, about = name.partition(" ")
    if kind == "golden" and "check" in GOLDEN[about]:
        return False
    by_chance = kind in ("example", "adding") and about.startswith(BY_CHANCE)
    by_chance = by_chance or name.startswith(ADDED_OTHERWISE)
    as_example = name.replace("adding", "example")
    return not (by_chance or as_example in {**NOT_RUN, **NOT_COMPARED, **dict.fromkeys(NEVER_RUN)})


@pytest.mark.parametrize("name", [name for name in JOBS if is_compared(name)])
def test_numbers_are_the_same(mxnet: RealMXNet, name: str) -> None:
    asked = job(name)
    assert "error" not in mxnet.answers[name], mxnet.answers[name]["error"]
    got, wanted = asked.run_here(), mxnet.arrays(name)
    for number, output in enumerate(asked.symbol.list_outputs()):
        got[f"output:{number}"] = got[f"output:{output}"]
    for key, array in wanted.items():
        assert got[key].dtype == array.dtype, key
        atol = asked.atol * (float(np.abs(array).max()) if name in SUMS_OF_MANY else 1.0)
        np.testing.assert_allclose(got[key], array, asked.rtol, atol, err_msg=key)


# Parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parameters_are_loaded_as_they_were(mxnet: RealMXNet, layout: str) -> None:
    with np.load(mxnet.folder / "native" / "load" / f"{layout}.params.npz") as file:
        found = dict(file)
    same(found, examples_of(layout))


@pytest.mark.parametrize("layout", ["V2", "V3"])
def test_parameters_that_mxnet_saved_are_read(mxnet: RealMXNet, layout: str) -> None:
    folder = mxnet.folder / "native" / "save"
    with np.load(folder / f"{layout}.npz") as file:
        wanted = dict(file)
    same(read_params(folder / f"{layout}.params"), wanted)
    same(read_params(folder / f"{layout}-list.params"), {"0": wanted["float32"]})


def same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)
