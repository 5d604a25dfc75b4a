"""Errors that are messages for people: what, where, and what to do.

EngineError
├── ParameterError   a node's setting is missing, misspelt or out of range
├── GraphError       the drawing is no computation: a cycle, an unknown operator, a wrong number of inputs
├── ShapeError       shapes or types do not fit together
├── BindError        the arrays, requests or names handed to a bind do not fit the graph
├── RunError         forward or backward cannot be done as asked
└── FormatError      a file is damaged, too new, or something else

Where Python itself asks for an error of its own (an attribute, an index, an operand), the error is both.

Everything that is not an EngineError is a bug of the program.
"""

import re
from typing import Self

LONGEST = 600
"""A sentence for people has at most so many characters, whatever the file that it is about holds."""


class EngineError(Exception):
    """A refusal in one sentence, with the node and the port to blame where one is."""

    def __init__(self, sentence: str, *, node: str | None = None, port: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = shortened(sentence)
        self.node = node
        self.port = port

    def at(self, node: str) -> Self:
        """Name the node to blame, unless one is named already."""
        if self.node is None:
            self.node = node
        return self

    def __str__(self) -> str:
        """Return one line that contains the node's name."""
        line = " ".join(self.sentence.split())
        if self.node is not None and not names_node(line, self.node):
            return f"{' '.join(shortened(self.node).split())}: {line}"
        return line


def shortened(sentence: str, most: int = LONGEST) -> str:
    """Return a text with its middle left out where it is too long to be read."""
    if len(sentence) <= most:
        return sentence
    tail = most // 3
    return f"{sentence[: most - tail - 1]}…{sentence[-tail:]}"


def names_node(sentence: str, node: str) -> bool:
    """Tell whether a sentence holds a node's name as a word, and not only inside another."""
    return re.search(rf"(?<!\w){re.escape(node)}(?!\w)", sentence) is not None


def quoted(text: str) -> str:
    """Put a text from a file in quotes, shortened to what one can take in."""
    return repr(shortened(text, 60))


class ParameterError(EngineError):
    """A node's setting is missing, misspelt or out of range; `port` is the parameter's name."""


class GraphError(EngineError):
    """The nodes and wires are no computation."""


class NoSuchOperator(GraphError, AttributeError):
    """There is no operator of the name that was asked for as an attribute."""


class NoSuchOutput(GraphError, IndexError):
    """A symbol has no output of that number."""


class WrongOperand(GraphError, TypeError):
    """A sign stands between a symbol and something that is neither a symbol nor a number."""


class ShapeError(EngineError):
    """Shapes or types do not fit together."""


class BindError(EngineError):
    """What was handed to a bind does not fit the graph."""


class RunError(EngineError):
    """Forward or backward cannot be done as asked."""


class FormatError(EngineError):
    """A file cannot be read."""
