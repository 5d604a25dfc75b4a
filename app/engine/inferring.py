"""What a symbol says of shapes and types, asked as in MXNet: by name, or in the order of the arguments."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from app.engine.errors import ShapeError
from app.engine.nearby import listed, no_such
from app.engine.shapes import Shape, is_known
from app.engine.taking import take_type

if TYPE_CHECKING:
    from app.engine.graph import Graph

Found = TypeVar("Found")
Lists = tuple[list[Found], list[Found], list[Found]]
"""One each for the arguments, the outputs and the auxiliary states, in list order."""
Nothing = tuple[None, None, None]
Type = type[Any]
"""An element type as numpy and MXNet hand it out: `numpy.float32`."""

NOTHING: Nothing = (None, None, None)


class Inferring:
    """Inference of shapes and types from those of some inputs."""

    @property
    @abstractmethod
    def graph(self) -> "Graph":
        """The nodes that the heads need."""

    def infer_shape(self, *args: Shape, **kwargs: Shape) -> Lists[Shape] | Nothing:
        """Return the shapes of arguments, outputs and auxiliary states in list order.

        Three Nones when anything stays open; ShapeError, with the node, when shapes contradict each other.
        """
        found = self._shapes(args, kwargs)
        return found if all(is_known(shape) for shapes in found for shape in shapes) else NOTHING

    def infer_shape_partial(self, *args: Shape, **kwargs: Shape) -> Lists[Shape]:
        """Return the same, unknown dimensions as 0 and a wholly unknown shape as ()."""
        return self._shapes(args, kwargs)

    def infer_type(self, *args: Any, **kwargs: Any) -> Lists[Type] | Nothing:
        """Return the element types in list order; three Nones when one stays open.

        ShapeError, with the node, when types contradict each other. Whatever nobody decides becomes float32 in a bind.
        """
        found = self._types(args, kwargs)
        arguments, outputs, auxiliary = ([kind for kind in kinds if kind is not None] for kinds in found)
        whole = (arguments, outputs, auxiliary)
        return whole if list(map(len, whole)) == list(map(len, found)) else NOTHING

    def infer_type_partial(self, *args: Any, **kwargs: Any) -> Lists[Type | None]:
        """Return the same, None where a type is open."""
        return self._types(args, kwargs)

    def _shapes(self, args: Sequence[Shape | None], kwargs: Mapping[str, Shape]) -> Lists[Shape]:
        from app.engine.inference.infer import infer

        graph = self.graph
        inference = infer(graph, self._by_name(args, kwargs, "shape"))
        if inference.shape_problems:  # types are no matter of shapes
            inference.refuse_problems()
        shapes, wiring = inference.shapes, graph.wiring
        return (
            [shapes[place] for place in wiring.argument_places],
            [inference.shape(head) for head in graph.heads],
            [shapes[place] for place in wiring.auxiliary_places],
        )

    def _types(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Lists[Type | None]:
        from app.engine.inference.types import infer_types

        graph = self.graph
        given = self._by_name(args, kwargs, "type")
        typing = infer_types(
            graph, {name: take_type(kind, name) for name, kind in given.items()}, usual=False
        )
        for problem in typing.problems:
            raise ShapeError(problem.sentence, node=problem.node, port=problem.port)

        def listed_types(entries: Sequence[tuple[int, int]]) -> list[Type | None]:
            kinds = [typing.found[index][number] for index, number in entries]
            return [None if kind is None else kind.type for kind in kinds]

        arguments, auxiliary = ([(index, 0) for index in each] for each in (graph.arguments, graph.auxiliary))
        return listed_types(arguments), listed_types(graph.heads), listed_types(auxiliary)

    def _by_name(self, args: Sequence[Any], kwargs: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Name what is given in the order of the arguments; None there leaves one open."""
        names = self.graph.names(self.graph.arguments) if args else []
        if len(args) > len(names):
            raise ShapeError(f"{len(args)} {what}s are given for {len(names)} arguments ({listed(names)}).")
        given = {name: each for name, each in zip(names, args, strict=False) if each is not None}
        given.update(kwargs)
        variables = self.graph.wiring.variables
        for name in given:
            if name not in variables:
                raise ShapeError(no_such("argument", name, [*variables]))
        return given
