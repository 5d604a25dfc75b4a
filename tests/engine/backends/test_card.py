"""The stand-in for a card computes true numbers and refuses what a card refuses; else other tests would say nothing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.engine.backends.computing import is_installed

if not is_installed("torch"):
    pytest.skip("PyTorch is not installed", allow_module_level=True)

import torch

from tests.engine.backends.card import CARD, Card, card_there

if TYPE_CHECKING:
    Tensor = torch.Tensor


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    with card_there(monkeypatch, capacity=2**20) as card:
        yield card


def there(*numbers: float) -> "Tensor":
    return torch.tensor(numbers, dtype=torch.float32).to(CARD)


def back(tensor: "Tensor") -> list[float]:
    found: list[float] = tensor.detach().cpu().tolist()
    return found


@pytest.mark.usefixtures("stand_in")
def test_a_tensor_there_says_so_and_holds_true_numbers() -> None:
    x = there(1, 2, 3).requires_grad_()
    y = (x * x).sum()
    assert x.device == y.device == CARD and x.is_cuda
    assert torch.empty(2, device=CARD).device == torch.zeros_like(x).device == CARD
    (gradient,) = torch.autograd.grad([y], [x])
    assert y.item() == 14 and back(gradient) == [2, 4, 6]
    with CARD:
        assert back(torch.tensor([1.5, 2]) + torch.arange(2)) == [1.5, 3]


@pytest.mark.usefixtures("stand_in")
def test_copies_never_share_memory_and_views_there_do() -> None:
    array = np.ones(3, np.float32)
    x = torch.from_numpy(array).to(CARD)
    array[...] = 7
    assert back(x) == [1, 1, 1]
    x[:2].mul_(2)
    assert back(x) == [2, 2, 1]
    x.cpu().mul_(0)
    assert back(x) == [2, 2, 1]


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("same device", lambda: there(1, 2) + torch.ones(2)),
    ("same device", lambda: torch.ones(2, 2).mm(there(1, 2).reshape(2, 1))),
    ("same device", lambda: there(1, 2).index_select(0, torch.tensor([1]))),
    ("same device", lambda: there(1, 2)[torch.tensor([1])]),
    ("same device", lambda: torch.cat([there(1), torch.ones(1)])),
    ("same device", lambda: there(1, 2).dot(torch.ones(2))),
    ("same device", lambda: torch.ones(2, 2).addmm(torch.tensor(1.0), there(1, 2).reshape(1, 2))),
    ("not implemented", lambda: there(1).long().reshape(1, 1).mm(there(1).long().reshape(1, 1))),
    ("generator", lambda: there(1).uniform_(generator=torch.Generator())),
    ("no stream", lambda: there(1).uniform_()),
    ("no stream", lambda: torch.rand(2, device=CARD)),
    ("not waited for", lambda: there(1).to("cpu", non_blocking=True)),
    ("pin", lambda: there(1).pin_memory()),
    ("not contiguous", lambda: torch.rnn_tanh(*layer(torch.zeros(1, 2, 2).to(CARD).transpose(1, 2)))),
    ("device-side", lambda: there(1, 2)[torch.tensor([5]).to(CARD)]),
]


def layer(states: "Tensor") -> tuple[object, ...]:
    """Return what one recurrent layer takes."""
    x, weights = torch.zeros(3, 2, 1).to(CARD), [torch.zeros(1, 1).to(CARD)] * 2
    return x, states, weights, False, 1, 0.0, True, False, False


@pytest.mark.parametrize(("words", "ask"), REFUSED)
def test_what_a_card_refuses_is_refused_and_kept(
    words: str, ask: Callable[[], object], stand_in: Card
) -> None:
    with pytest.raises(RuntimeError, match=words):
        ask()
    assert len(stand_in.refusals) == 1


@pytest.mark.usefixtures("stand_in")
def test_numpy_cannot_look_into_it() -> None:
    with pytest.raises((TypeError, RuntimeError)):
        there(1, 2).numpy()
    with pytest.raises((TypeError, RuntimeError)):
        np.asarray(there(1, 2))


def test_a_lone_number_of_the_processor_may_meet_it(stand_in: Card) -> None:
    assert back(there(1, 2) * torch.tensor(3.0)) == [3, 6]
    assert back(torch.where(there(1, 0) > 0, 2.0, 0.5)) == [2, 0.5]
    assert not stand_in.refusals


def test_a_stream_of_its_own_gives_the_same_numbers_again(stand_in: Card) -> None:
    stream = torch.Generator(CARD)
    draws = [
        back(torch.empty(4, device=CARD).uniform_(generator=stream.manual_seed(seed))) for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert not stand_in.refusals


def test_after_an_index_outside_nothing_works(stand_in: Card) -> None:
    x, outside = there(1, 2), torch.tensor([2]).to(CARD)
    for ask in (lambda: x[outside], lambda: x + x):
        with pytest.raises(torch.AcceleratorError):
            ask()
    assert len(stand_in.refusals) == 2


def test_memory_is_counted_and_runs_out(stand_in: Card) -> None:
    x = torch.zeros(2**17, device=CARD)
    views = x[:5], x.reshape(2, -1)
    assert stand_in.used == 2**19
    with pytest.raises(torch.OutOfMemoryError):
        torch.zeros(2**18, device=CARD)
    del x, views
    assert stand_in.used == 0 and stand_in.peak == 2**19


def test_work_waits_until_somebody_asks_for_numbers(stand_in: Card) -> None:
    y = there(1, 2) * 2
    assert stand_in.waiting
    back(y)
    assert not stand_in.waiting


def test_rounded_products_are_noticed(stand_in: Card) -> None:
    there(1).reshape(1, 1).mm(there(1).reshape(1, 1))
    assert stand_in.rounded == {"mm"}
