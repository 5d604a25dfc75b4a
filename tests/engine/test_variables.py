"""Tests of the keywords of Variable; the texts are those that MXNet 1.9.1 keeps."""

from typing import Any

import pytest

from app.engine.errors import EngineError
from app.engine.symbol import Variable


@pytest.mark.parametrize(
    ("keywords", "kept"),
    [
        ({"shape": (2, 3)}, {"__shape__": "(2, 3)"}),
        ({"shape": [2, 3]}, {"__shape__": "[2, 3]"}),
        ({"shape": "(2, 3)"}, {"__shape__": "(2, 3)"}),
        ({"shape": 2}, {"__shape__": "2"}),
        ({"stype": "default"}, {"__storage_type__": "0"}),
        ({"stype": "row_sparse"}, {"__storage_type__": "1"}),
        ({"stype": "csr"}, {"__storage_type__": "2"}),
        ({"dtype": "float16"}, {"__dtype__": "2"}),
        ({"dtype": bool}, {"__dtype__": "7"}),
        ({"wd_mult": 1.50}, {"__wd_mult__": "1.5"}),
        ({"attr": {"lr_mult": "2", "mood": "x"}}, {"__lr_mult__": "2", "mood": "x"}),
        ({"attr": {"__shape__": "(1,)"}, "shape": (2,)}, {"__shape__": "(2,)"}),
        ({"__layout__": "NHWC"}, {"__layout__": "NHWC"}),
    ],
)
def test_keywords_become_attributes(keywords: dict[str, Any], kept: dict[str, str]) -> None:
    assert dict(Variable("x", **keywords).heads[0][0].attributes) == kept


@pytest.mark.parametrize(
    "keywords", [{"shape": "two"}, {"shape": 2.0}, {"stype": "dense"}, {"mood": "x"}, {"dtype": "float"[:3]}]
)
def test_what_makes_no_sense_is_refused(keywords: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="x"):
        Variable("x", **keywords)
