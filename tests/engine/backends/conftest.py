"""Where tests of the backend on PyTorch let it lay its tensors."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let binds on PyTorch compute on a card's stand-in, which must find nothing to refuse."""
    pytest.importorskip("torch")
    from tests.engine.backends.card import card_there, choose_card

    choose_card(monkeypatch)
    with card_there(monkeypatch) as found:
        yield found
    assert not found.refusals
    assert not found.rounded


@pytest.fixture(params=["shared", "copied", "card"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with memory that PyTorch shares with numpy, with memory of its own, and on a card's stand-in."""
    if request.param == "copied":
        from app.engine.backends import torch_outside

        monkeypatch.setattr(torch_outside, "_can_be_shared", lambda array: False)
    if request.param == "card":
        request.getfixturevalue("card")
