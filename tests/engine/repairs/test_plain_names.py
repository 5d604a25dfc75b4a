"""Operators that were no part of MXNet once are found under the names that they have today."""

import json
from pathlib import Path

import pytest

from app.engine.repairs.offered import REPAIRS, repairs_for
from app.engine.repairs.old_pooling import OLD_POOLING
from app.engine.repairs.plain_names import PLAIN_NAMES, under_contrib
from app.engine.repairs.repair import Mended

OPERATORS = json.loads((Path(__file__).parents[2] / "golden" / "operators.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", ["MultiBoxPrior", "MultiBoxTarget", "MultiBoxDetection", "Proposal", "box_nms"]
)
def test_an_operator_of_a_plug_in_is_the_one_that_mxnet_took_in(name: str) -> None:
    texts = {"sizes": "(0.1,)"}
    assert under_contrib(name, texts) == Mended(f"_contrib_{name}", texts)


@pytest.mark.parametrize(
    "name", ["CaffeLoss", "QConvolution", "Variable", "null", "_contrib_MultiBoxPrior", ""]
)
def test_what_is_known_or_is_not_even_so_stays(name: str) -> None:
    assert under_contrib(name, {}) is None


def test_no_name_that_mxnet_knows_is_taken_for_another() -> None:
    names = [name for known, about in OPERATORS.items() for name in (known, *about["aliases"])]
    assert [name for name in names if under_contrib(name, {})] == []
    assert "_contrib_MultiBoxPrior" in names


def test_files_of_every_age_may_need_it_and_only_old_ones_the_rounding() -> None:
    assert repairs_for(800) == REPAIRS == (PLAIN_NAMES, OLD_POOLING)
    assert repairs_for(900) == repairs_for(10901) == (PLAIN_NAMES,)
