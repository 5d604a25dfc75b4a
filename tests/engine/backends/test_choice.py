"""A backend is chosen by name and device, and what is not there is refused in one sentence that helps."""

import subprocess
import sys
from typing import Any

import pytest

from app.engine.backends import computing
from app.engine.backends.choice import choose_backend, devices
from app.engine.backends.computing import Computing, is_installed
from app.engine.errors import BindError

needs_torch = pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")


def test_numpy_is_the_executor_itself() -> None:
    assert choose_backend("numpy") is None
    assert choose_backend("numpy", "cpu") is None
    assert devices("numpy") == ("cpu",)


@pytest.mark.parametrize(
    ("name", "device", "words"),
    [
        ("numpy", "cuda:0", "choose the backend torch"),
        ("jax", None, "choose numpy or torch"),
    ],
)
def test_refusals_say_what_to_choose(name: str, device: str | None, words: str) -> None:
    with pytest.raises(BindError, match=words):
        choose_backend(name, device)


def test_without_pytorch_one_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "find_spec", lambda name: None)
    assert not is_installed("torch") and is_installed("numpy")
    with pytest.raises(BindError, match=r"pip install 'chalkgraph\[torch\]'"):
        choose_backend("torch")


@needs_torch
def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(BindError, match="no device 'cuda:77' for PyTorch here; choose cpu"):
        choose_backend("torch", "cuda:77")
    with pytest.raises(BindError, match="no device 'mps'"):
        choose_backend("torch", "mps")


@needs_torch
@pytest.mark.parametrize(("build", "words"), [(None, "built without CUDA"), ("12.8", "finds no CUDA card")])
def test_why_there_is_no_card_is_said(monkeypatch: pytest.MonkeyPatch, build: str | None, words: str) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", build)
    with pytest.raises(BindError, match=f"choose cpu. .*{words}"):
        choose_backend("torch", "cuda:0")


@needs_torch
def test_cards_are_listed_as_pytorch_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices("torch") == ("cpu", "cuda:0", "cuda:1")
    chosen: Any = choose_backend("torch", "cuda")
    assert chosen.device == "cuda:0"


def test_asking_whether_it_is_there_loads_nothing() -> None:
    code = (
        "import sys; from app.engine.backends.computing import is_installed; is_installed('torch');"
        "print([name for name in ('torch', 'numpy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_an_executor_on_numpy_does_not_load_pytorch() -> None:
    code = (
        "import sys; from app.engine import Variable;"
        "(Variable('a') + Variable('b')).simple_bind({'a': (2,)}).forward(); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("word", ["numpy", "torch:cpu", "torch:cuda:1"])
def test_a_choice_is_one_word(word: str) -> None:
    assert Computing.read(word).word == word


def test_a_choice_of_something_else_is_no_choice() -> None:
    with pytest.raises(ValueError, match="jax"):
        Computing.read("jax:cpu")
    assert Computing.read("torch").device == "cpu"
