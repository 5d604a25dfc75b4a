"""What the panels load, and when."""

import subprocess
import sys


def test_importing_the_panels_leaves_plots_graphs_and_lexers_for_later() -> None:
    modules = [
        "bind_panel",
        "code",
        "command_palette",
        "finder",
        "inspector",
        "palette",
        "problems",
        "start_page",
    ]
    imports = ", ".join(f"app.panels.{name}" for name in modules)
    late = ("pyqtgraph", "pygments", "networkx")
    code = f"import sys; import {imports}; print([name for name in {late!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
