"""Where tests of the backend on PyTorch let it lay its tensors."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.engine.backends.computing import is_installed

if is_installed("torch"):  # before any test: autograd counts the devices once, when it first runs
    from tests.engine.backends.card import card_there, choose_card

SUMS = {
    *("avg_pool3d_backward", "cumsum", "max_pool3d_with_indices_backward", "index_add", "scatter_add"),
    "upsample_bilinear2d_backward",
}
"""What may add in no fixed order on a card."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let binds on PyTorch compute on a card's stand-in, which must find nothing to refuse."""
    choose_card(monkeypatch)
    with card_there(monkeypatch) as found:
        yield found
    assert not found.refusals
    assert not found.rounded
    assert found.unordered <= SUMS, "docs/decisions/0013 names them"


@pytest.fixture(params=["shared", "copied", "card"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with memory that PyTorch shares with numpy, with memory of its own, and on a card's stand-in."""
    if request.param == "copied":
        from app.engine.backends import torch_outside

        monkeypatch.setattr(torch_outside, "_can_be_shared", lambda array: False)
    if request.param == "card":
        request.getfixturevalue("card")
