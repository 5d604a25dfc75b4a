"""The arrays of one set of results as the board asks for them, each drawn once, when it is first seen."""

from typing import TYPE_CHECKING, Any

from app.canvas.heat import Heat, are_of_one_run, heat_of, is_same, summary_lines
from app.document.records import Id
from app.services.number_words import number_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.qt.colours import HeatColours
    from app.services.running import Results


class HeatStore:
    """Values and gradients of nodes, as pictures, as single numbers, and in words."""

    def __init__(
        self,
        results: "Results | None",
        colours: "HeatColours",
        *,
        is_current: bool,
        before: "HeatStore | None" = None,
    ) -> None:
        self.results = results
        self.is_current = is_current
        self._colours = colours
        self._heats: dict[tuple[Id, str], Heat | None] = (
            before.still_true(results, colours) if before is not None else {}
        )

    def still_true(
        self, results: "Results | None", colours: "HeatColours"
    ) -> "dict[tuple[Id, str], Heat | None]":
        """Return the pictures of arrays that are the same in other results, of another moment of one run."""
        if self._colours != colours or not are_of_one_run(results, self.results):
            return {}
        return {
            key: heat for key, heat in self._heats.items() if is_same(self.array(*key), _array(results, *key))
        }

    def serves(self, results: "Results", colours: "HeatColours") -> bool:
        """Tell whether the pictures drawn so far are of these results and in these colours."""
        return self.results is results and self._colours == colours

    def array(self, node: Id, which: str) -> "NDArray[Any] | None":
        """Return a node's first output, or the gradient that flows into it."""
        return _array(self.results, node, which)

    def has(self, node: Id, which: str) -> bool:
        """Tell whether there is such an array."""
        return self.array(node, which) is not None

    def number(self, node: Id, which: str) -> str:
        """Return the array's only number in words; nothing where it has several."""
        array = self.array(node, which)
        return number_text(float(array.item())) if array is not None and array.size == 1 else ""

    def heat(self, node: Id, which: str) -> Heat | None:
        """Return the picture of a node's output or gradient, None where there is no array."""
        key = (node, which)
        if key not in self._heats:
            array = self.array(node, which)
            diverging = which == "gradient"
            self._heats[key] = (
                heat_of(array, self._colours, diverging=diverging) if array is not None else None
            )
        return self._heats[key]

    def lines(self, node: Id, which: str) -> list[str]:
        """Describe the array in short lines, none where there is no array."""
        array = self.array(node, which)
        return summary_lines(array) if array is not None else []


def _array(results: "Results | None", node: Id, which: str) -> "NDArray[Any] | None":
    if results is None:
        return None
    return results.by_node(node) if which == "output" else results.gradient_by_node(node)
