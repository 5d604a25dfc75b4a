"""Names that may have been meant."""

import pytest

from app.engine.nearby import near_names
from app.engine.registry import all_operators, near_operators


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FullConnected", ["FullyConnected"]),
        ("activaton", ["Activation"]),
        ("MultiBoxPrior", ["_contrib_MultiBoxPrior"]),
        ("WarpCTC", []),
        ("Dense", []),
    ],
)
def test_a_slip_is_near_and_a_few_letters_in_common_are_not(name: str, meant: list[str]) -> None:
    assert near_names(name, all_operators()) == meant


def test_letters_that_were_left_out_may_be_meant() -> None:
    assert near_names("bn_mean", ["bn_gamma_sum", "bn_moving_mean"]) == ["bn_moving_mean"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("_contrib_quantize_v2", ()),
        ("_contrib_box_mns", ("_contrib_box_nms",)),
        ("FullConnected", ("FullyConnected",)),
    ],
)
def test_what_a_family_of_operators_begins_with_makes_none_alike(name: str, meant: tuple[str, ...]) -> None:
    assert near_operators(name) == meant
