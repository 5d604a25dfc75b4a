"""Names, lists and composition are those of MXNet's symbols."""

import pytest

from app.engine import EngineError, Group, Variable, sym
from app.engine.naming import AttrScope, NameManager, Prefix
from app.engine.symbol import hypot, maximum, power


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


@pytest.mark.parametrize(
    ("make", "name", "operator"),
    [
        (lambda a, b: a + b, "_plus0", "elemwise_add"),
        (lambda a, b: a - b, "_minus0", "elemwise_sub"),
        (lambda a, b: a * b, "_mul0", "elemwise_mul"),
        (lambda a, b: a / b, "_div0", "elemwise_div"),
        (lambda a, b: a**b, "_power0", "_power"),
        (lambda a, b: a + 1, "_plusscalar0", "_plus_scalar"),
        (lambda a, b: 1 + a, "_plusscalar0", "_plus_scalar"),
        (lambda a, b: 1 - a, "_rminusscalar0", "_rminus_scalar"),
        (lambda a, b: 2 / a, "_rdivscalar0", "_rdiv_scalar"),
        (lambda a, b: 2**a, "_rpower_scalar0", "_rpower_scalar"),
        (lambda a, b: -a, "_mulscalar0", "_mul_scalar"),
        (lambda a, b: a > 1, "_greater_scalar0", "_greater_scalar"),
        (lambda a, b: 1 > a, "_lesser_scalar0", "_lesser_scalar"),  # noqa: SIM300 - the number asks first
        (lambda a, b: a == b, "_equal0", "_equal"),
        (lambda a, b: maximum(a, 2), "_maximumscalar0", "_maximum_scalar"),
        (power, "_power0", "_power"),
        (lambda a, b: sym.pow(a, 2), "_powerscalar0", "_power_scalar"),
        (lambda a, b: sym.pow(2, a), "_rpowerscalar0", "_rpower_scalar"),
        (hypot, "_hypot0", "_hypot"),
        (lambda a, b: hypot(2, a), "_hypotscalar0", "_hypot_scalar"),
        (lambda a, b: abs(a), "abs0", "abs"),
    ],
)
def test_signs_make_the_operators_and_names_of_mxnet(make, name: str, operator: str) -> None:
    symbol = make(Variable("a"), Variable("b"))
    assert symbol.name == name
    assert symbol.graph.nodes[-1].op_name == operator


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
