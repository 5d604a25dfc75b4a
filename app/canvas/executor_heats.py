"""Pictures of the arrays of an executor graph."""

from typing import TYPE_CHECKING

from app.qt.theme import Theme

if TYPE_CHECKING:
    from app.canvas.heat import Heat
    from app.services.running import Results


class ExecutorHeats:
    """Pictures of the executor graph's arrays, each drawn once, when it is first seen."""

    def __init__(self, results: "Results | None", theme: Theme) -> None:
        self._results = results
        self._theme = theme
        self._known: dict[str, Heat | None] = {}

    def heat(self, node: str, which: str) -> "Heat | None":
        """Return the picture of the array of an executor node, by its index as text."""
        if self._results is None:
            return None
        if node not in self._known:
            from app.canvas.heat import heat_of

            array = self._results.exec_value(int(node))
            colours = self._theme.heat
            self._known[node] = (
                heat_of(array, colours, diverging=which == "gradient") if array is not None else None
            )
        return self._known[node]
