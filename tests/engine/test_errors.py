"""An error is one line for people that names its node once and is never too long to be read."""

from app.engine.errors import LONGEST, EngineError, names_node, shortened


def test_a_sentence_names_its_node_once() -> None:
    assert str(EngineError("fc1 wants 3.", node="fc1")) == "fc1 wants 3."
    assert str(EngineError("It wants 3.", node="fc1")) == "fc1: It wants 3."
    assert str(EngineError("fc11 wants 3.", node="fc1")) == "fc1: fc11 wants 3."
    assert str(EngineError("It\nwants  3.", node="a\nb")) == "a b: It wants 3."
    assert names_node("the node a.b-c.", "a.b-c") and not names_node("aXb", "a.b")


def test_the_first_node_that_is_blamed_stays() -> None:
    assert EngineError("No.").at("a").at("b").node == "a"


def test_the_middle_of_a_long_text_is_left_out() -> None:
    whole = "".join(chr(ord("a") + number % 26) for number in range(60))
    assert shortened(whole, 60) == whole
    short = shortened(whole + "!", 60)
    assert len(short) == 60
    assert short == f"{whole[:39]}…{(whole + '!')[-20:]}"
    assert len(EngineError("x" * 10_000).sentence) == LONGEST
