"""A bind that cannot fit says how much it needs before it takes anything."""

from pathlib import Path

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import BindError
from app.engine.planning import room
from app.engine.planning.room import free_memory, in_words

MIB = 2**20


def layer(hidden: int = 1024):
    return sym.FullyConnected(Variable("data"), num_hidden=hidden, name="fc1")


def test_a_bind_beyond_all_memory_is_refused_with_what_it_needs() -> None:
    with pytest.raises(BindError, match=r"needs .* TiB .*are free\. The largest array is fc1_weight \("):
        layer(2**31 - 1).simple_bind({"data": (2, 4096)})


def test_counts_beyond_every_machine_are_said_and_not_computed_with() -> None:
    x = Variable("x")
    with pytest.raises(BindError, match="more than any machine has"):
        (x + x).simple_bind({"x": (2**62,) * 8})


@pytest.mark.parametrize(("free", "fits"), [(200 * MIB, True), (110 * MIB, False)])
def test_variables_gradients_and_arrays_in_between_all_count(
    free: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weight and its gradient take 64 MiB each; either alone would fit."""
    monkeypatch.setattr(room, "free_memory", lambda: free)
    monkeypatch.setattr(
        "app.engine.passes.room.has_helper", lambda: True
    )  # each half finds a gradient of its own
    if fits:
        layer().simple_bind({"data": (2, 16384)})
    else:
        with pytest.raises(BindError, match="arguments 64 MiB, gradients 64 MiB"):
            layer().simple_bind({"data": (2, 16384)})
    layer().simple_bind({"data": (2, 16384)}, grad_req="null")


def test_arrays_of_the_caller_do_not_count_but_those_in_between_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 60 * MIB)
    data = np.zeros((MIB, 8), np.float32)
    symbol = sym.exp(Variable("data"))
    symbol.bind([data])
    monkeypatch.setattr(room, "free_memory", lambda: 70 * MIB)
    symbol.bind([data], [np.zeros_like(data)])  # the result and what is handed in for it, 32 MiB each
    with pytest.raises(BindError, match="needs 98 MiB .arrays in between 96 MiB, work space 2 MiB"):
        sym.Concat(symbol, Variable("data"), dim=1).bind([data, data], keep_all=True)


def test_work_space_counts() -> None:
    """Two windows far apart see next to nothing, but the frame round the image is huge."""
    far = sym.Convolution(
        Variable("x"),
        kernel=(1, 1),
        num_filter=1,
        stride=(2**30, 2**30),
        pad=(2**30, 2**30),
        no_bias=True,
        name="conv",
    )
    with pytest.raises(BindError, match="largest array is the work space of conv"):
        far.simple_bind({"x": (1, 1, 4, 4)})


def test_a_containers_limit_counts_less_what_it_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    texts = {
        Path("/proc/self/cgroup"): "0::/outer/inner\n",
        inner / "memory.max": "max\n",
        inner / "memory.current": "7\n",
        inner.parent / "memory.max": f"{100 * MIB}\n",
        inner.parent / "memory.current": f"{90 * MIB}\n",
        inner.parent / "memory.stat": f"anon 1\ninactive_file {5 * MIB}\n",
    }
    monkeypatch.setattr(room, "_GROUPS", tmp_path)
    monkeypatch.setattr(room, "_read", lambda path: texts.get(path, ""))
    assert list(room._free_in_groups()) == [15 * MIB]
    assert (free_memory() or 0) <= 15 * MIB


def test_a_process_limit_counts_less_what_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (3 * MIB, -1))
    monkeypatch.setattr(room, "_read", lambda path: "256 1 1\n" if path.name == "statm" else "")
    page = resource.getpagesize()
    assert room._free_in_process() == 3 * MIB - 256 * page


@pytest.mark.parametrize(
    ("count", "words"), [(2048, "2 KiB"), (3 * MIB, "3 MiB"), (2**31, "2.0 GiB"), (2**65, "32.0 EiB")]
)
def test_bytes_are_written_for_people(count: int, words: str) -> None:
    assert in_words(count) == words
