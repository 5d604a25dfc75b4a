"""The program as a whole: how large it is shown, and how it starts."""

import os
import subprocess
import sys
from typing import Any

import pytest

from app.shell.application import size_factor
from app.shell.workbench import Workbench


@pytest.mark.parametrize(
    ("size", "given", "factor"),
    [
        (100, None, None),
        (100, "2", None),
        (150, None, "1.5"),
        (125, "2", "2.5"),
        (200, "nonsense", "2"),
    ],
)
def test_the_size_of_everything_multiplies_what_the_environment_says(
    settings: Any, size: int, given: str | None, factor: str | None
) -> None:
    settings.size = size

    assert size_factor(settings, {} if given is None else {"QT_SCALE_FACTOR": given}) == factor


def test_the_size_is_chosen_in_the_menu_and_holds_from_the_next_start(bench: Workbench) -> None:
    bench.actions.trigger("size_150")

    assert bench.settings.size == 150 and bench.actions["size_150"].isChecked()
    assert "next start" in bench.status_line.message


def run(code: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return answer.stdout.strip()


def test_the_first_paint_waits_for_nothing_heavy() -> None:
    code = (
        "import sys; from app.shell.application import time_first_window; time_first_window(); "
        "heavy = ('numpy', 'networkx', 'pyqtgraph', 'attrs', 'psygnal', 'app.engine', 'app.canvas', 'app.panels'); "
        "print([name for name in heavy if name in sys.modules])"
    )

    assert run(code) == "[]"


def test_plots_are_not_loaded_before_anybody_looks_at_one() -> None:
    code = (
        "import sys; from app.shell.application import time_ready_window; seconds = time_ready_window(); "
        "print(seconds > 0, 'numpy' in sys.modules, 'pyqtgraph' in sys.modules)"
    )

    assert run(code) == "True True False"
