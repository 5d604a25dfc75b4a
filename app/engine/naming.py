"""Automatic names and attribute scopes, as MXNet's NameManager, Prefix and AttrScope."""

from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from app.engine.errors import ParameterError
from app.engine.nearby import quoted_value

FAMILIES = ("contrib", "linalg")
"""Modules of MXNet's Python in which operators lack the beginning of their names: `contrib.box_nms`."""


NODE_KEYS = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage")
"""What MXNet keeps for every node, written with underscores around it and listed without them too."""


def with_bare_keys(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return a node's attributes as MXNet lists them: what belongs to every node stands there twice."""
    bare = {key: attributes[f"__{key}__"] for key in NODE_KEYS if f"__{key}__" in attributes}
    return {**attributes, **bare}


def kept_as(key: str) -> str:
    """Return the name under which an attribute is kept."""
    return f"__{key}__" if key in NODE_KEYS else key


def python_name(op_name: str) -> str:
    """Return where MXNet's Python has an operator: `contrib.box_nms`, `_internal._plus_scalar`, `Concat`."""
    for family in FAMILIES:
        if op_name.startswith(f"_{family}_"):
            return f"{family}.{op_name.removeprefix(f'_{family}_')}"
    return f"_internal.{op_name}" if op_name.startswith("_") else op_name


class _Scope:
    """A stack of objects of one class; entering pushes, leaving pops."""

    _stack: ClassVar[list["_Scope"]]

    def __init_subclass__(cls, *, root: bool = False) -> None:
        if root:
            cls._stack = []

    def __enter__(self) -> Self:
        self._stack.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.pop()


class NameManager(_Scope, root=True):
    """Gives a node without a name its operator's hint and a counter: `fullyconnected0`."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def name(self, given: str | None, hint: str) -> str:
        """Return the given name, or the next automatic one for `hint`."""
        if given:
            return given
        name = f"{hint}{self._counts[hint]}"
        self._counts[hint] += 1
        return name

    @classmethod
    def current(cls) -> "NameManager":
        """Return the innermost manager that is entered, else one for the life of the process."""
        manager = cls._stack[-1] if cls._stack else _ROOT
        assert isinstance(manager, NameManager)
        return manager


class Prefix(NameManager):
    """A manager of its own that puts a text before given and automatic names of operators."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def name(self, given: str | None, hint: str) -> str:
        """Return the name with the prefix before it."""
        return self._prefix + super().name(given, hint)


class AttrScope(_Scope, root=True):
    """Adds its attributes to every variable and node made inside.

    They are taken as if they were written there: an operator refuses those that are none of its settings, unless they
    stand between underscores or belong to every node.
    """

    def __init__(self, **attributes: str) -> None:
        for name, value in attributes.items():
            if not isinstance(value, str):
                raise ParameterError(f"{name} of the AttrScope must be text, not {quoted_value(value)}.")
        self.attributes = {kept_as(name): value for name, value in attributes.items()}

    @classmethod
    def collect(cls, own: dict[str, str]) -> dict[str, str]:
        """Return the attributes of all open scopes, inner ones and `own` first."""
        collected: dict[str, str] = {}
        for scope in cls._stack:
            assert isinstance(scope, AttrScope)
            collected.update(scope.attributes)
        collected.update(own)
        return collected


_ROOT = NameManager()
