"""Pictures of the arrays of an executor graph."""

from typing import TYPE_CHECKING

from app.qt.theme import Theme

if TYPE_CHECKING:
    from app.canvas.heat import Heat
    from app.services.running import Results


class ExecutorHeats:
    """Pictures of the executor graph's arrays, each drawn once, when it is first seen."""

    def __init__(
        self, results: "Results | None", theme: Theme, before: "ExecutorHeats | None" = None
    ) -> None:
        self._results = results
        self._theme = theme
        self._known: dict[str, Heat | None] = before.still_true(results, theme) if before is not None else {}

    def still_true(self, results: "Results | None", theme: Theme) -> "dict[str, Heat | None]":
        """Return the pictures of arrays that are the same in other results, of another moment of one run."""
        from app.canvas.heat import are_of_one_run, is_same

        own = self._results
        if theme is not self._theme or own is None or results is None or not are_of_one_run(results, own):
            return {}
        return {
            node: heat
            for node, heat in self._known.items()
            if is_same(own.exec_value(int(node)), results.exec_value(int(node)))
        }

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
