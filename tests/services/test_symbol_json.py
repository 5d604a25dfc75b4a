"""Symbol files of every age are read as MXNet 1.9.1 reads them, and written so that it reads them back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.checks import analyse_after
from app.document.invariants import broken_invariants
from app.engine import EngineError, Variable, sym
from app.engine.errors import FormatError, GraphError
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol, write_symbol
from app.services.symbol_raw import file_version
from tests.control_flow import control_flow, waiting_file
from tests.detection_files import detection_file
from tests.old_inception import old_inception
from tests.opaque_files import opaque_file


def file(nodes: list[dict[str, Any]], heads: list[list[int]] | None = None, **top: Any) -> str:
    top.setdefault("attrs", {"mxnet_version": ["int", 10901]})
    arguments = [number for number, node in enumerate(nodes) if node.get("op") == "null"]
    data = {"nodes": nodes, "arg_nodes": arguments, "heads": heads or [[len(nodes) - 1, 0, 0]], **top}
    return json.dumps({key: value for key, value in data.items() if value is not None})


def variable(name: str, **attributes: str) -> dict[str, Any]:
    return {"op": "null", "name": name, "inputs": [], "attrs": attributes}


def old_network() -> str:
    """A network as 0.8 wrote it: parameters and free attributes apart, auxiliary inputs unwritten."""
    return file(
        [
            {"op": "null", "param": {}, "name": "data", "inputs": [], "backward_source_id": -1},
            {"op": "null", "param": {}, "name": "bn_gamma", "inputs": [], "backward_source_id": -1},
            {"op": "null", "param": {}, "name": "bn_beta", "inputs": [], "backward_source_id": -1},
            {
                "op": "BatchNorm",
                "param": {"eps": "0.01", "fix_gamma": "False"},
                "name": "bn",
                "inputs": [[0, 0], [1, 0], [2, 0]],
                "backward_source_id": -1,
                "attr": {"lr_mult": "2", "gamma_wd_mult": "0"},
            },
        ],
        heads=[[3, 0]],
        attrs=None,
    )


def test_a_network_of_0_8_gets_its_auxiliary_states() -> None:
    symbol = read_symbol(old_network())
    assert symbol.list_arguments() == ["data", "bn_gamma", "bn_beta"]
    assert symbol.list_auxiliary_states() == ["bn_moving_mean", "bn_moving_var"]
    assert symbol.attr_dict()["bn_moving_var"]["__init__"] == '["one", {}]'
    assert file_version(old_network()) == 800


def test_multipliers_of_old_files_move_to_where_they_belong() -> None:
    attributes = read_symbol(old_network()).attr_dict()
    assert attributes["bn"]["__lr_mult__"] == "2"
    assert attributes["bn_gamma"]["__wd_mult__"] == "0"
    assert not any("wd_mult" in key for key in attributes["bn"])


def test_until_0_9_4_the_last_axis_meant_all() -> None:
    nodes = [variable("x"), {"op": "argmax", "name": "m", "attrs": {"axis": "-1"}, "inputs": [[0, 0, 0]]}]
    old = read_symbol(file(nodes, attrs={"mxnet_version": ["int", 904]}))
    assert old.infer_shape(x=(2, 3))[1] == [(1,)]
    assert read_symbol(file(nodes)).infer_shape(x=(2, 3))[1] == [(2,)]


def test_nodes_may_come_in_any_order_and_unreached_ones_are_dropped() -> None:
    nodes = [
        {"op": "exp", "name": "e", "inputs": [[2, 0, 0]]},
        variable("unused"),
        variable("x"),
    ]
    symbol = read_symbol(file(nodes, heads=[[0, 0, 0]]))
    assert symbol.list_arguments() == ["x"]


def test_what_is_written_is_read_back_the_same() -> None:
    data = Variable("data", lr_mult=2.0)
    net = sym.SoftmaxOutput(sym.FullyConnected(data, num_hidden=3, name="fc"), name="softmax")
    again = read_symbol(write_symbol(net))
    assert again.list_arguments() == net.list_arguments()
    assert again.attr_dict() == net.attr_dict()
    assert write_symbol(again) == write_symbol(net)
    written = json.loads(write_symbol(net))
    assert set(written) == {"nodes", "arg_nodes", "node_row_ptr", "heads", "attrs"}
    assert written["node_row_ptr"][-1] == len(written["nodes"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no symbol file"),
        ("[]", "no object"),
        ('{"nodes": []}', "arg_nodes"),
        (file([variable("x")], hello=1), "hello"),
        (file([{"op": "null", "inputs": []}]), "name"),
        (file([{"op": "null", "name": "x", "inputs": [], "extra": 1}]), "extra"),
        (file([variable("x")], heads=[[7, 0, 0]]), "7"),
        (file([variable("x"), {"op": "exp", "name": "e", "inputs": [[5, 0, 0]]}]), "5"),
        (file([variable("x"), {"op": "exp", "name": "e", "inputs": [[0]]}]), "two or three"),
        (file([variable("x"), {"op": "exp", "name": "e", "inputs": [[0, 3, 0]]}]), "output 3"),
        (
            file([variable("x"), {"op": "exp", "name": "e", "attrs": {"a": 1}, "inputs": [[0, 0, 0]]}]),
            "texts",
        ),
    ],
)
def test_broken_files_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises((FormatError, GraphError), match=words):
        read_symbol(text)


def test_a_circle_is_named() -> None:
    nodes = [
        variable("x"),
        {"op": "elemwise_add", "name": "a", "inputs": [[0, 0, 0], [2, 0, 0]]},
        {"op": "exp", "name": "b", "inputs": [[1, 0, 0]]},
    ]
    with pytest.raises(GraphError, match="circle") as refusal:
        read_symbol(file(nodes))
    assert "a" in str(refusal.value)
    assert "b" in str(refusal.value)


@pytest.mark.parametrize("version", [None, 800, 904, 10901, 20000])
def test_an_unknown_operator_is_read_and_written_as_it_came(version: int | None) -> None:
    symbol = read_symbol(opaque_file(version))
    data = json.loads(opaque_file())
    assert json.loads(write_symbol(symbol)) == data
    assert write_symbol(read_symbol(write_symbol(symbol))) == write_symbol(symbol)
    assert symbol.list_arguments() == ["data", "q_weight"]
    assert symbol.get_internals().list_outputs()[2:4] == ["q_output0", "q_output1"]


@pytest.mark.parametrize("starts", [[0, 1], [0, 1, 2, 2, 2, 2, 2], [0, 1, 2, 10**9, 10**9, 10**9, 10**9]])
def test_a_count_of_outputs_that_makes_no_sense_is_passed_over(starts: list[int]) -> None:
    written = json.loads(write_symbol(read_symbol(opaque_file(starts=starts))))
    assert written["node_row_ptr"] == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize("output", [-1, 10**9])
def test_an_output_that_no_node_can_have_is_refused(output: int) -> None:
    nodes = [variable("x"), {"op": "Mystery", "name": "m", "inputs": [[0, 0, 0]]}]
    with pytest.raises(GraphError, match="cannot have it") as refusal:
        read_symbol(file(nodes, heads=[[1, output, 0]]))
    assert refusal.value.node == "m"


WRONG_NODES = {
    "unknown parameter": ({"num_hidden": "3", "mkldnn_off": "True"}, 1, 0),
    "bad value": ({"num_hidden": "many"}, 1, 0),
    "missing parameter": ({}, 1, 0),
    "too many inputs": ({"num_hidden": "3"}, 5, 0),
    "no such output": ({"num_hidden": "3"}, 1, 4),
}


@pytest.mark.parametrize("case", WRONG_NODES)
def test_wrong_nodes_are_refused_unless_a_document_is_to_show_them(case: str) -> None:
    attributes, inputs, output = WRONG_NODES[case]
    nodes = [
        variable("x"),
        {"op": "FullyConnected", "name": "fc", "attrs": attributes, "inputs": [[0, 0, 0]] * inputs},
        {"op": "relu", "name": "r", "inputs": [[1, output, 0]]},
    ]
    with pytest.raises(EngineError) as refusal:
        read_symbol(file(nodes))
    assert refusal.value.node == "fc"
    node = read_symbol(file(nodes), lenient=True).graph.nodes[1]
    assert node.attributes == attributes
    assert node.op_name == "FullyConnected"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


node_texts = st.sampled_from(
    ["relu", "FullyConnected", "Concat", "SliceChannel", "BatchNorm", "null", "Mystery", "Variable", ""]
)


@given(
    st.sampled_from(
        [
            old_network(),
            opaque_file(),
            opaque_file(None),
            waiting_file(),
            detection_file(),
            control_flow("nested"),
        ]
    ),
    st.integers(0, 60),
    json_values | node_texts,
    st.booleans(),
)
def test_a_mangled_file_is_read_or_refused_but_never_a_crash(
    text: str, place: int, value: Any, repair: bool
) -> None:
    data = json.loads(text)
    spots: list[tuple[Any, Any]] = [(data, key) for key in data]
    for node in data["nodes"]:
        spots += [(node, key) for key in node]
        spots += [(node["inputs"], index) for index in range(len(node["inputs"]))]
        spots += [(node[part], name) for part in ("attr", "attrs", "param") for name in node.get(part, ())]
    holder, key = spots[place % len(spots)]
    holder[key] = value
    try:
        read_symbol(json.dumps(data), repair=repair).infer_shape_partial()
    except EngineError as error:
        assert str(error)
    try:
        document = document_from_symbol(read_symbol(json.dumps(data), lenient=True))
    except EngineError as error:
        assert str(error)
    else:
        assert broken_invariants(document) == []
        assert analyse_after(None, document, None).document is document


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(FormatError):
        read_symbol("[" * 100_000)


def test_a_multiplier_that_names_no_variable_stays_and_is_refused_by_an_operator_with_parameters() -> None:
    x = variable("x")
    older = {"mxnet_version": ["int", 904]}
    sigmoid = {"op": "sigmoid", "name": "s", "inputs": [[0, 0, 0]], "attr": {"bias_wd_mult": "0.5"}}
    assert read_symbol(file([x, sigmoid], attrs=older)).attr_dict()["s"] == {"bias_wd_mult": "0.5"}
    lrn = {"op": "LRN", "name": "n", "inputs": [[0, 0, 0]], "attr": {"nsize": "3", "weight_lr_mult": "2"}}
    with pytest.raises(EngineError, match="weight_lr_mult") as refusal:
        read_symbol(file([x, lrn], attrs=older))
    assert refusal.value.node == "n"


def test_the_later_of_attr_and_attrs_counts_and_param_fills_what_is_missing() -> None:
    nodes = [variable("x"), {"op": "topk", "name": "t", "inputs": [[0, 0, 0]], "attrs": {"k": "3"}}]
    nodes[1] |= {"attr": {"axis": "0"}, "param": {"axis": "1", "is_ascend": "True"}}
    assert read_symbol(file(nodes)).attr_dict()["t"] == {"axis": "0", "is_ascend": "True"}


@pytest.mark.parametrize(("version", "says"), [(903, True), (904, False)])
def test_until_0_9_3_states_are_told_how_they_begin(version: int, says: bool) -> None:
    names = ("x", "g", "b", "mean", "var")
    node = {"op": "BatchNorm", "name": "bn", "inputs": [[number, 0, 0] for number in range(5)]}
    text = file([*(variable(name) for name in names), node], attrs={"mxnet_version": ["int", version]})
    attributes = read_symbol(text).attr_dict()
    assert attributes.get("var", {}).get("__init__") == ('["one", {}]' if says else None)


def test_an_old_inception_fits_again_with_its_rounding() -> None:
    with pytest.raises(
        EngineError, match=r"concat_3c .* expected \(1, \?, 14, 14\) but got \(1, \?, 13, 13\)"
    ):
        read_symbol(old_inception()).infer_shape(data=(1, 3, 224, 224))
    symbol = read_symbol(old_inception(), repair=True)
    inner = symbol.get_internals()
    assert symbol.infer_shape(data=(1, 3, 224, 224))[1] == [(1, 1000)]
    for name, shape in {
        "pool_1_output": (1, 64, 56, 56),
        "pool_2_output": (1, 192, 28, 28),
        "concat_3c_output": (1, 576, 14, 14),
        "concat_4e_output": (1, 1056, 7, 7),
        "concat_5b_output": (1, 1024, 7, 7),
        "global_pool_output": (1, 1024, 1, 1),
    }.items():
        assert inner[name].infer_shape(data=(1, 3, 224, 224))[1] == [shape]


@pytest.mark.parametrize("version", [900, 10901])
def test_newer_files_are_not_repaired(version: int) -> None:
    data = json.loads(old_inception()) | {"attrs": {"mxnet_version": ["int", version]}}
    for node in data["nodes"]:
        del node["backward_source_id"]
    with pytest.raises(EngineError):
        read_symbol(json.dumps(data), repair=True).infer_shape(data=(1, 3, 224, 224))


def test_a_repair_that_cannot_be_said_names_the_node() -> None:
    param = {"kernel": "(3, 2)", "stride": "(2, 3)"}
    nodes = [variable("x"), {"op": "Pooling", "name": "odd", "param": param, "inputs": [[0, 0]]}]
    assert read_symbol(file(nodes, attrs=None)).list_outputs() == ["odd_output"]
    with pytest.raises(EngineError, match="can't be said today") as refusal:
        read_symbol(file(nodes, attrs=None), repair=True)
    assert refusal.value.node == "odd"


def test_an_operator_of_a_plug_in_is_opaque_until_it_is_repaired() -> None:
    text = detection_file().replace('"attr": {}', '"attr": {"lr_mult": "2"}')
    as_it_came = read_symbol(text)
    assert as_it_came.infer_shape(x=(1, 1, 5, 5)) == (None, None, None)
    assert as_it_came.attr_dict()["boxes"]["lr_mult"] == "2"
    symbol = read_symbol(text, repair=True)
    assert symbol.infer_shape(x=(1, 1, 5, 5))[1] == [(1, 9, 4)]
    node = json.loads(write_symbol(symbol))["nodes"][2]
    assert node["op"] == "_contrib_MultiBoxPrior"
    assert node["attrs"] == {"sizes": "(0.2,)", "__lr_mult__": "2"}


def test_a_newer_file_is_repaired_in_its_names_only() -> None:
    symbol = read_symbol(detection_file(10901), repair=True)
    assert symbol.infer_shape(x=(1, 1, 5, 5))[1] == [(1, 4, 4)]


def test_a_repaired_operator_with_other_settings_is_refused_by_name() -> None:
    with pytest.raises(EngineError, match="no parameter 'size'") as refusal:
        read_symbol(detection_file().replace("sizes", "size"), repair=True)
    assert refusal.value.node == "boxes"


@pytest.mark.parametrize(("layout", "count"), [("NCHW", 2), ("NHWC", 1)])
def test_a_file_counts_the_hidden_outputs_that_mxnet_has(layout: str, count: int) -> None:
    pooled = sym.Pooling(Variable("x"), kernel=(2, 2), layout=layout)
    assert json.loads(write_symbol(sym.relu(pooled)))["node_row_ptr"] == [0, 1, 1 + count, 2 + count]
