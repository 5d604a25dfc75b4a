"""Whatever is handed to a public function is taken, or refused in one short sentence that names the thing.

What Python itself refuses, such as a keyword that a function does not have, stays Python's TypeError.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.engine import EngineError, Executor, Group, Symbol, Variable, load_symbol, sym

WRONG: dict[str, Any] = {
    "None": None,
    "text": "abc",
    "negative": -1,
    "zero": 0,
    "five": 5,
    "huge": 10**400,
    "nan": float("nan"),
    "infinite": float("inf"),
    "truth": True,
    "numbers": [1, 2],
    "nothing in a list": [],
    "ragged": [[1, 2], [3]],
    "texts": ["a", "b"],
    "pair": (1, 2),
    "dict": {"a": 1},
    "empty dict": {},
    "dict of None": {"data": None},
    "dict of a number": {"data": 5},
    "dict of a wrong shape": {"data": (1, "x")},
    "dict of a negative shape": {"data": (-2, 3)},
    "dict of a huge shape": {"data": (10**40, 3)},
    "dict of NaN": {"data": (float("nan"), 3)},
    "dict by number": {5: (1, 2)},
    "dict of lists": {"data": [[1]]},
    "bytes": b"xx",
    "set": {1},
    "generator": (each for each in range(2)),
    "object": object(),
    "function": len,
    "symbol": Variable("q"),
    "array": np.ones((2, 3), np.float32),
    "one number": np.float32(3),
    "array of objects": np.array([object()]),
    "array of texts": np.array(["a"]),
    "complex array": np.ones((2, 3), complex),
}
NUMBERS = ("negative", "zero", "five", "nan", "infinite", "truth", "one number")
SHAPES = ("numbers", "nothing in a list", "pair")
WORDS = r"write, add or null|grad_req"


def net() -> Symbol:
    return sym.FullyConnected(Variable("data"), num_hidden=4, name="fc")


def arrays() -> list[Any]:
    return [np.ones((2, 3), np.float32), np.ones((4, 3), np.float32), np.ones(4, np.float32)]


def executor() -> Executor:
    return net().simple_bind({"data": (2, 3)}, seed=0)


def backward(given: Any) -> None:
    ready = executor()
    ready.forward(is_train=True)
    ready.backward(given)


NET = net()
Call = Callable[[Any], Any]
USES: dict[str, tuple[Call, str, tuple[str, ...]]] = {
    # what is done, what the sentence must name, and which of the values above are right
    "Variable name": (Variable, "variable's name", ("text",)),
    "Variable attr": (lambda v: Variable("a", attr=v), "attr of a", ("None", "empty dict")),
    "Variable shape": (lambda v: Variable("a", shape=v), "shape for a",
                       ("None", "negative", "zero", "five", "huge", *SHAPES)),
    "Variable dtype": (lambda v: Variable("a", dtype=v), "element type for a", ("None", "one number")),
    "Variable init": (lambda v: Variable("a", init=v), "init of a", ("None", "text")),
    "Variable lr_mult": (lambda v: Variable("a", lr_mult=v), "lr_mult of a", ("None", *NUMBERS)),
    "Variable stype": (lambda v: Variable("a", stype=v), "storage type for a", ("None",)),
    "Variable keyword": (lambda v: Variable("a", mood=v), "__mood__", ()),
    "Group": (Group, "group", ("symbol",)),
    "Group item": (lambda v: Group([NET, v]), "item 1", ("symbol",)),
    "load_symbol": (load_symbol, "path|abc", ()),
    "input": (lambda v: sym.FullyConnected(v, num_hidden=3), "input 0 of FullyConnected", ("None", "symbol")),
    "input of many": (lambda v: sym.Concat(NET, v), "input 1 of Concat", ("symbol",)),
    "input by name": (lambda v: sym.FullyConnected(data=v, num_hidden=3, name="f"), "f: data", ("None", "symbol")),
    "wrong input": (lambda v: sym.FullyConnected(dato=v, num_hidden=3, name="f"), "mean data|num_hidden", ()),
    "int": (lambda v: sym.FullyConnected(NET, num_hidden=v, name="f"), "f: num_hidden", ("five",)),
    "bool": (lambda v: sym.FullyConnected(NET, num_hidden=3, no_bias=v), "no_bias", ("zero", "truth")),
    "ints": (lambda v: sym.Convolution(NET, num_filter=3, kernel=v), "kernel", ("five", "numbers", "pair")),
    "enum": (lambda v: sym.Activation(NET, act_type=v), "act_type", ()),
    "wrong setting": (lambda v: sym.Activation(NET, act_tipe=v), "mean act_type|act_type", ()),
    "count of inputs": (lambda v: sym.Concat(NET, NET, num_args=v), "num_args", ("five",)),
    "name": (lambda v: sym.Activation(NET, act_type="relu", name=v), "name of Activation", ("None", "text")),
    "attr": (lambda v: sym.Flatten(NET, attr=v), "attr of Flatten",
             ("None", *[key for key in WRONG if "dict" in key and key != "dict by number"])),
    "sum": (lambda v: NET + v, "fc", ("symbol", *NUMBERS)),
    "sum from the right": (lambda v: v + NET, "fc", ("symbol", *NUMBERS)),
    "power": (lambda v: NET**v, "fc", ("symbol", *NUMBERS)),
    "comparison": (lambda v: v == NET, "fc", ("symbol", *NUMBERS)),
    "maximum": (lambda v: sym.maximum(NET, v), "fc", ("symbol", *NUMBERS)),
    "replaced": (lambda v: NET(data=v), "replaces data", ("symbol",)),
    "replaced without a name": (NET, "data", ()),
    "replaced by a wrong name": (lambda v: NET(dota=v), "mean data", ()),
    "output": (lambda v: NET[v], "output", ("negative", "zero")),
    "attribute": (NET.attr, "attribute", ("text",)),
    "infer_shape": (lambda v: NET.infer_shape(data=v), "data", SHAPES),
    "infer_shape in order": (NET.infer_shape, "data", ("None", *SHAPES)),
    "infer_shape_partial": (lambda v: NET.infer_shape_partial(data=v), "data", SHAPES),
    "infer_shape of nothing": (lambda v: NET.infer_shape(dota=v), "mean data", ()),
    "shapes": (NET.simple_bind, "shape", ()),
    "shape": (lambda v: NET.simple_bind({"data": v}), "data", ("numbers", "pair")),
    "grad_req": (lambda v: NET.simple_bind({"data": (2, 3)}, grad_req=v), WORDS,
        ("dict", "empty dict", "dict by number")),
    "one grad_req": (lambda v: NET.simple_bind({"data": (2, 3)}, grad_req={"data": v}), f"data.*{WORDS}", ()),
    "dtypes": (lambda v: NET.simple_bind({"data": (2, 3)}, dtypes=v), "dtypes|element type for",
               ("None", "empty dict", "dict of None")),
    "dtype": (lambda v: NET.simple_bind({"data": (2, 3)}, dtypes={"data": v}), "element type for data",
              ("None", "one number")),
    "seed of a bind": (lambda v: NET.simple_bind({"data": (2, 3)}, seed=v), "seed",
        ("None", "zero", "five", "huge", "truth")),
    "keep_all": (lambda v: NET.simple_bind({"data": (2, 3)}, keep_all=v), "keep_all", ("zero", "truth")),
    "backend": (lambda v: NET.simple_bind({"data": (2, 3)}, backend=v), "backend", ()),
    "device": (lambda v: NET.simple_bind({"data": (2, 3)}, device=v), "Numpy", ("None",)),
    "args": (NET.bind, "argument", ()),
    "one of the args": (lambda v: NET.bind([v, *arrays()[1:]]), "data", ("array",)),
    "args_grad": (lambda v: NET.bind(arrays(), v), "args_grad|gradient buffer of data",
                  ("None", "dict", "empty dict", "dict of None", "dict by number")),
    "one of args_grad": (lambda v: NET.bind(arrays(), {"data": v}), "gradient buffer of data", ("None", "array")),
    "aux_states": (lambda v: NET.bind(arrays(), aux_states=v), "auxiliary state",
                   ("None", "nothing in a list", *[key for key in WRONG if "dict" in key])),
    "is_train": (lambda v: executor().forward(v), "is_train", ("zero", "truth")),
    "array of forward": (lambda v: executor().forward(data=v), "argument data", ("array",)),
    "wrong array of forward": (lambda v: executor().forward(dota=v), "mean data", ()),
    "out_grads": (backward, "head gradient", ()),
    "one of out_grads": (lambda v: backward([v]), "head gradient of fc_output", ()),
    "seed": (lambda v: executor().seed(v), "seed", ("None", "zero", "five", "huge", "truth")),
    "explain": (lambda v: executor().explain(v), "gradient", ()),
    "check_gradient": (lambda v: executor().check_gradient(v), "checked|array named", ()),
    "out_grads of a check": (lambda v: executor().check_gradient("data", out_grads=v), "head gradient", ("None",)),
    "step of a check": (lambda v: executor().check_gradient("data", step=v), "step",
        ("None", "five", "truth", "one number")),
    "samples of a check": (lambda v: executor().check_gradient("data", samples=v), "samples",
        ("five", "huge", "truth")),
    "seed of a check": (lambda v: executor().check_gradient("data", seed=v), "seed",
        ("None", "zero", "five", "huge", "truth")),
    "mode of a check": (lambda v: executor().check_gradient("data", is_train=v), "is_train", ("zero", "truth")),
    "option of a check": (lambda v: executor().check_gradient("data", sampels=v), "mean samples", ()),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_wrong_value_is_refused_in_a_sentence(use: str) -> None:
    do, names, right = USES[use]
    for kind, value in WRONG.items():
        try:
            do(value)
        except EngineError as error:
            line = str(error)
            assert kind not in right, f"{use}, {kind}: {line}"
            assert re.search(names, line), f"{use}, {kind}: {line}"
            assert "\n" not in line and len(line) < 250 and " at 0x" not in line, f"{use}, {kind}: {line}"
        else:
            assert kind in right, f"{use} takes {kind}"
