"""Names, lists and composition are those of MXNet's symbols."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.engine import EngineError, Group, Symbol, Variable, sym
from app.engine.naming import AttrScope, NameManager, Prefix

Call = Callable[[Any, Any], Any]


@pytest.fixture(autouse=True)
def fresh_names():
    with NameManager():
        yield


def test_automatic_names_count_per_hint() -> None:
    x = Variable("x")
    first = sym.FullyConnected(x, num_hidden=3)
    second = sym.FullyConnected(first, num_hidden=3)
    assert (first.name, second.name) == ("fullyconnected0", "fullyconnected1")
    assert second.list_arguments() == [
        "x",
        "fullyconnected0_weight",
        "fullyconnected0_bias",
        "fullyconnected1_weight",
        "fullyconnected1_bias",
    ]


SIGNS = [
    # what is called, what numpy calls so, and MXNet's names for two symbols, symbol and number, number and symbol
    (operator.add, np.add, "_plus", "_plusscalar", "_plusscalar"),
    (operator.sub, np.subtract, "_minus", "_minusscalar", "_rminusscalar"),
    (operator.mul, np.multiply, "_mul", "_mulscalar", "_mulscalar"),
    (operator.truediv, np.divide, "_div", "_divscalar", "_rdivscalar"),
    (operator.pow, np.power, "_power", "_powerscalar", "_rpower_scalar"),
    (operator.mod, np.mod, "_mod", "_modscalar", "_rmodscalar"),
    (operator.gt, np.greater, "_greater", "_greater_scalar", "_lesser_scalar"),
    (operator.ge, np.greater_equal, "_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar"),
    (operator.lt, np.less, "_lesser", "_lesser_scalar", "_greater_scalar"),
    (operator.le, np.less_equal, "_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar"),
    (operator.eq, np.equal, "_equal", "_equal_scalar", "_equal_scalar"),
    (operator.ne, np.not_equal, "_not_equal", "_not_equal_scalar", "_not_equal_scalar"),
    (sym.maximum, np.maximum, "_maximum", "_maximumscalar", "_maximumscalar"),
    (sym.minimum, np.minimum, "_minimum", "_minimumscalar", "_minimumscalar"),
    (sym.power, np.power, "_power", "_powerscalar", "_rpowerscalar"),
    (sym.pow, np.power, "_power", "_powerscalar", "_rpowerscalar"),
    (sym.hypot, np.hypot, "_hypot", "_hypotscalar", "_hypotscalar"),
]


@pytest.mark.parametrize(("sign", "plain", "both", "number_last", "number_first"), SIGNS)
def test_signs_have_the_names_of_mxnet_and_the_meaning_of_numpy(
    sign: Call, plain: Call, both: str, number_last: str, number_first: str
) -> None:
    arrays = {"a": np.float32([0.5, 1, 2, 3]), "b": np.float32([3, 1, 0.5, 2])}
    a, b = Variable("a"), Variable("b")
    for left, right, hint in ((a, b, both), (a, 2, number_last), (2, a, number_first)):
        with NameManager():
            made = sign(left, right)
        assert made.name == f"{hint}0"
        given = {name: arrays[name] for name in made.list_arguments()}
        (computed,) = made.bind(given).forward()
        values = (arrays[each.name] if isinstance(each, Symbol) else each for each in (left, right))
        np.testing.assert_allclose(computed, plain(*values), rtol=1e-6)


def test_of_two_numbers_the_functions_give_a_number() -> None:
    assert (sym.maximum(2, 3), sym.minimum(2, 3), sym.power(2, 3), sym.hypot(3, 4)) == (3, 2, 8, 5)


def test_the_absolute_value_is_an_operator() -> None:
    symbol = abs(Variable("a"))
    assert (symbol.name, symbol.graph.nodes[-1].op_name) == ("abs0", "abs")


def test_negation_multiplies_by_minus_one() -> None:
    assert (-Variable("a")).attr("scalar") == "-1.0"
    assert (Variable("a") + 2).attr("scalar") == "2"  # as it was written
    assert (Variable("a") + 2.0).attr("scalar") == "2.0"


def test_the_spelling_decides_the_hint() -> None:
    x = Variable("x")
    assert sym.split(x, num_outputs=2)[0].name == "split0"
    assert sym.SliceChannel(x, num_outputs=2)[0].name == "slicechannel0"
    assert sym.Concat(x, x).name == "concat0"
    assert sym.concat(x, x).name == "concat1"


def test_prefix_goes_before_operators_and_not_before_variables() -> None:
    with Prefix("p_"):
        net = sym.FullyConnected(Variable("x"), num_hidden=1)
    assert net.name == "p_fullyconnected0"
    assert net.list_arguments()[0] == "x"


def test_attributes_of_a_scope_reach_made_variables_too() -> None:
    with AttrScope(ctx_group="dev1"):
        net = sym.FullyConnected(Variable("x"), num_hidden=1, name="fc")
    assert net.attr("ctx_group") == "dev1"
    assert net.attr_dict()["fc_weight"]["__ctx_group__"] == "dev1"
    assert net.attr_dict()["fc_weight"]["num_hidden"] == "1"


def test_order_is_depth_first_inputs_before_the_node() -> None:
    a, b = Variable("a"), Variable("b")
    z = sym.broadcast_add(sym.exp(b, name="r"), sym.log(a, name="t"), name="z")
    assert [node.name for node in z.graph.nodes] == ["b", "r", "a", "t", "z"]
    assert z.list_arguments() == ["b", "a"]


def test_internals_and_children() -> None:
    net = sym.FullyConnected(Variable("data"), num_hidden=2, name="fc")
    internals = net.get_internals()
    assert internals.list_outputs() == ["data", "fc_weight", "fc_bias", "fc_output"]
    assert internals["fc_output"].list_arguments() == net.list_arguments()
    assert net.get_children().list_outputs() == ["data", "fc_weight", "fc_bias"]
    assert Variable("x").get_children() is None


def test_a_group_lists_its_outputs_in_order_and_flattens() -> None:
    a, b = Variable("a"), Variable("b")
    group = Group([a * b, Group([a + b, a])])
    assert group.list_outputs() == ["_mul0_output", "_plus0_output", "a"]
    with pytest.raises(EngineError):
        Group([])


def test_several_outputs_are_no_single_input() -> None:
    parts = sym.SliceChannel(Variable("x"), num_outputs=2, name="s")
    assert parts.list_outputs() == ["s_output0", "s_output1"]
    with pytest.raises(EngineError, match="data takes one output, but was given 2 .s_output0, s_output1"):
        sym.exp(parts)
    assert sym.Concat(*parts).list_arguments() == ["x"]


def test_indexing_wants_the_exact_name() -> None:
    net = sym.exp(Variable("x"), name="e")
    assert net["e_output"].name == "e"
    with pytest.raises(EngineError):
        net["e"]
    with pytest.raises(IndexError):
        net[1]


def test_calling_replaces_variables_and_leaves_the_original() -> None:
    net = sym.exp(Variable("x"), name="e")
    other = net(x=sym.log(Variable("y"), name="l"))
    assert other.list_arguments() == ["y"]
    assert net.list_arguments() == ["x"]
    with pytest.raises(EngineError, match="nope"):
        net(nope=Variable("z"))


def test_settings_are_checked_when_the_node_is_made() -> None:
    x = Variable("x")
    with pytest.raises(EngineError, match="num_hidden") as refusal:
        sym.FullyConnected(x, num_hidden="many", name="fc1")
    assert refusal.value.node == "fc1"
    with pytest.raises(EngineError, match="foo"):
        sym.FullyConnected(x, num_hidden=3, foo=1)


def test_attributes_of_a_variable() -> None:
    x = Variable("x", shape=(2, 3), lr_mult=0.5, dtype="float64", attr={"mood": "x"})
    assert x.list_attr() == {
        "mood": "x",
        "__shape__": "(2, 3)",
        "__dtype__": "1",
        "__lr_mult__": "0.5",
        "lr_mult": "0.5",
    }
    with pytest.raises(EngineError, match="Variable x has no keyword .mood.*__mood__"):
        Variable("x", mood="x")


def test_two_variables_of_one_name_stay_two() -> None:
    assert (Variable("a") + Variable("a")).list_arguments() == ["a", "a"]


def test_a_slip_of_the_finger_does_not_eat_all_memory() -> None:
    with pytest.raises(EngineError, match="num_outputs"):
        sym.SliceChannel(Variable("x"), num_outputs=99999999999999999999)
    with pytest.raises(EngineError, match="num_args"):
        sym.Concat(Variable("x"), num_args=10**12)


def test_a_family_of_operators_is_found_under_its_name_as_in_mxnet() -> None:
    x = Variable("x")
    assert sym.contrib.box_nms(x).name == "box_nms0"
    assert sym.contrib.MultiBoxPrior(x).name == "multiboxprior0"
    assert sym.linalg.gemm2(x, x).graph.nodes[-1].op_name == "_linalg_gemm2"
    assert getattr(sym, "_contrib_box_nms")(x).name == "_contrib_box_nms0"  # noqa: B009 - the name is the matter
    assert "CTCLoss" in dir(sym.contrib)
    with pytest.raises(AttributeError, match="_contrib_box_nms"):
        _ = sym.contrib.box_nmss


def test_a_slice_picks_outputs() -> None:
    parts = sym.SliceChannel(Variable("x"), num_outputs=3, name="s")
    assert parts[1:].list_outputs() == ["s_output1", "s_output2"]
    assert parts[::2].list_outputs() == ["s_output0", "s_output2"]
    with pytest.raises(EngineError, match="at least one"):
        parts[3:]


def test_a_call_may_name_the_node_and_leaves_the_original_alone() -> None:
    net = sym.relu(Variable("x"), name="r")
    again = net(x=Variable("y"), name="other")
    assert (again.list_outputs(), again.list_arguments()) == (["other_output"], ["y"])
    assert (net.list_outputs(), net.list_arguments()) == (["r_output"], ["x"])


def test_a_scope_counts_as_if_its_attributes_were_written_there() -> None:
    with AttrScope(num_hidden="3", lr_mult="2"):
        layer = sym.FullyConnected(Variable("x"), name="f")
    assert layer.attr_dict()["f"] == {"num_hidden": "3", "__lr_mult__": "2", "lr_mult": "2"}
    with AttrScope(mood="x"):
        assert Variable("y").list_attr() == {"mood": "x"}
        assert sym.relu(Variable("y"), name="r").attr("mood") == "x"
        with pytest.raises(EngineError, match="mood"):
            sym.FullyConnected(Variable("x"), num_hidden=3)
    with pytest.raises(EngineError, match="must be text"):
        AttrScope(mood=3)  # type: ignore[arg-type]


def test_only_what_belongs_to_every_node_is_found_without_underscores() -> None:
    node = sym.relu(Variable("x"), __mood__="x", lr_mult=2, out=None)
    assert (node.attr("mood"), node.attr("__mood__"), node.attr("lr_mult"), node.attr("out")) == (
        None,
        "x",
        "2",
        None,
    )
    with pytest.raises(EngineError, match="takes a symbol"):
        sym.relu(data=3)
