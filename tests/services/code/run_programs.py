"""Runs every exported program of a folder in this process and writes down what each said: for a child process."""

import contextlib
import importlib.util
import io
import json
import sys
import traceback
from pathlib import Path


def run(path: Path) -> dict[str, object]:
    """Load one program, call its main, and return the exit status and what it printed."""
    said = io.StringIO()
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with contextlib.redirect_stdout(said):
            spec.loader.exec_module(module)
            status = module.main()
    except Exception:  # noqa: BLE001 - whatever a program raises is its answer
        return {"status": -1, "said": traceback.format_exc(limit=3)}
    return {"status": status, "said": said.getvalue()}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    answers = {path.stem: run(path) for path in sorted(folder.glob("*.py"))}
    (folder / "answers.json").write_text(json.dumps(answers))
