"""A real workspace for panels to stand on, and short words to fill it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.document import edits
from app.document.records import VARIABLE, Binding, Id
from app.qt.workspace import Workspace
from app.services.gallery import open_entry
from app.services.running import Results


@pytest.fixture
def workspace(qtbot: QtBot, theming: Any, settings: Any) -> Iterator[Workspace]:
    """Return a workspace with the engine loaded, nothing on the board, and Live off."""
    settings.live = False
    made = Workspace(theming, settings)
    made.load_engine()
    yield made
    made.shutdown()


class Desk:
    """Edits a workspace's document as the program does, and runs it."""

    def __init__(self, workspace: Workspace, qtbot: QtBot) -> None:
        self.workspace = workspace
        self._qtbot = qtbot

    def node(self, op: str, name: str = "", params: Mapping[str, str] | None = None) -> Id:
        """Add a node and return its id; nothing is selected afterwards."""
        added = edits.add_node(self.workspace.document, op, (0.0, 0.0), name=name, params=params)
        self.workspace.commit(added.transaction)
        self.workspace.select(set())
        return added.node_id

    def wire(self, source: Id, target: Id, number: int = 0) -> Id:
        """Wire an output to an input and return the wire's id."""
        before = set(self.workspace.document.edges)
        self.workspace.commit(edits.connect(self.workspace.document, source, 0, target, number))
        (made,) = set(self.workspace.document.edges) - before
        return made

    def bind(self, name: str, **facts: Any) -> None:
        """Set what an argument is bound to."""
        self.workspace.commit(edits.set_binding(self.workspace.document, Binding(name, **facts)))

    def param(self, node_id: Id, name: str) -> str | None:
        """Return the text of one setting in the document."""
        return self.workspace.document.nodes[node_id].params.get(name)

    def find(self, name: str) -> Id:
        """Return the id of the node called `name`."""
        return next(node.id for node in self.workspace.document.nodes.values() if node.name == name)

    def open(self, entry: str) -> None:
        """Open a document of the gallery."""
        self.workspace.load(open_entry(entry))

    def product(self) -> dict[str, Id]:
        """Draw C = A × B and E = C × D with a = 10, b = 1, d = 2, and 2 as the gradient of E."""
        ids = {name: self.node(VARIABLE, name) for name in "ABD"}
        ids |= {name: self.node("elemwise_mul", name) for name in "CE"}
        for source, target, number in (("A", "C", 0), ("B", "C", 1), ("C", "E", 0), ("D", "E", 1)):
            self.wire(ids[source], ids[target], number)
        for name, value in (("A", "10"), ("B", "1"), ("D", "2")):
            self.bind(name, kind="constant", value=value)
        self.workspace.commit(edits.set_head_gradient(self.workspace.document, "E_output", "2"))
        return ids

    def run(self, stage: str) -> Results:
        """Run the document as far as `stage` and return the results."""
        with self._qtbot.waitSignal(self.workspace.results_changed, timeout=10_000):
            getattr(self.workspace, stage)()
        assert self.workspace.results is not None
        return self.workspace.results


@pytest.fixture
def desk(workspace: Workspace, qtbot: QtBot) -> Desk:
    """Return a desk over the workspace."""
    return Desk(workspace, qtbot)
