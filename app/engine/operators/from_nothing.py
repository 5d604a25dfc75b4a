"""What operators without inputs have in common."""

from app.engine.operator import CodeNames, Port, Types
from app.engine.operators.element_types import check_type, named_type
from app.engine.operators.prepared import Prepared


class Source(Prepared):
    """An operator without inputs."""

    dtype: str

    @property
    def inputs(self) -> tuple[Port, ...]:
        """There are none."""
        return ()

    def check(self) -> None:
        """Refuse a type that is not there."""
        check_type(self.dtype)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type."""
        return (), (named_type(self.dtype),)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """There is no input to differentiate."""
        return []


def spelt(dtype: str, library: str) -> str:
    """Return how a library calls a type."""
    return "bool" if dtype == "bool" and library == "np" else f"{library}.{dtype}"
