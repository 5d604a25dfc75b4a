"""The panel that says everything about what is selected."""

from app.panels.inspector.inspector import Inspector

__all__ = ["Inspector"]
