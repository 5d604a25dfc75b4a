"""What is offered where settings are wrong was tried, changes one of them, and is near to what was said."""

import pytest

from app.engine.reconciling import mend_settings, with_advice
from app.engine.registry import find_operator

Texts = dict[str, str]
MENDS: list[tuple[str, Texts, list[str]]] = [
    # a value that is none
    ("Activation", {"act_type": "rele"}, ["set act_type to relu"]),
    ("Dropout", {"p": "3"}, ["set p to 1"]),
    ("FullyConnected", {"num_hidden": "0"}, ["set num_hidden to 1"]),
    ("Convolution", {"kernel": "(3,3)", "num_filter": "x"}, []),
    # a name that is none
    ("Convolution", {"kernal": "(3,3)", "num_filter": "2"}, ["set kernel to (3,3)"]),
    # two that do not go together: the one that is blamed, then the one beside it
    (
        "Convolution",
        {"kernel": "(3,5)", "num_filter": "2", "stride": "(1,2,3)"},
        ["set stride to (1, 2)", "set kernel to (3, 5, 5)"],
    ),
    (
        "Pooling",
        {"kernel": "(2,2)", "pad": "(1,)"},
        ["set pad to (1, 1)", "set kernel to (2,)"],
    ),
    (
        "Convolution",
        {"kernel": "(3,3)", "num_filter": "3", "num_group": "2"},
        ["leave num_group out", "set num_filter to 2"],
    ),
    (
        "LeakyReLU",
        {"act_type": "rrelu", "lower_bound": "0.9", "upper_bound": "0.1"},
        ["set lower_bound to 0.1", "set upper_bound to 0.9"],
    ),
    ("slice", {"begin": "(0,1)", "end": "(2,)"}, ["set end to (2, 2)", "set begin to (0,)"]),
    # nothing near helps
    ("LRN", {"nsize": "4"}, []),
]


@pytest.mark.parametrize(("name", "texts", "words"), MENDS)
def test_one_change_mends_the_settings(name: str, texts: Texts, words: list[str]) -> None:
    operator = find_operator(name)
    mends = mend_settings(operator, texts)
    assert [mend.words for mend in mends] == words
    for mend in mends:
        others = {key: text for key, text in texts.items() if key not in (mend.name, mend.instead_of)}
        mended = others if mend.text is None else {**others, mend.name: mend.text}
        operator.from_attributes(mended).check()


def test_offers_are_one_more_sentence() -> None:
    assert with_advice("No.", []) == "No."
    assert with_advice("No.", ["set a to 1"]) == "No. Set a to 1."
    assert with_advice("No.", ["set a to 1", "leave b out"]) == "No. Set a to 1, or leave b out."
