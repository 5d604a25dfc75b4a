"""What would settle a conflict of two settings, each right by itself: other values that were tried and go together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.errors import EngineError, ParameterError
from app.engine.nearby import near_names
from app.engine.params import Parameter, as_text, read_each

if TYPE_CHECKING:
    from app.engine.operator import Operator

_FARTHEST = 64
"""How far from a number others are tried."""
_MOST_AXES = 9
_MOST_OFFERS = 2


@attrs.frozen
class SettingMend:
    """One setting of a node with another text; None takes it back to its default."""

    name: str
    text: str | None
    instead_of: str = ""
    """The wrong name that the setting had."""

    @property
    def words(self) -> str:
        """Say what to do, as a part of a sentence."""
        return f"leave {self.name} out" if self.text is None else f"set {self.name} to {self.text}"


def mend_settings(operator_class: "type[Operator]", texts: Mapping[str, str]) -> list[SettingMend]:
    """Return changes of one setting each that mend what is wrong with them: a name, a value, or a conflict."""
    parameters = {each.name: each for each in operator_class.parameters}
    values, faults = read_each(operator_class.parameters, texts, operator_class.op_name)
    found = []
    for fault in faults:
        name = fault.port or ""
        if name in parameters and name in texts:
            near = parameters[name].nearest(texts[name])
            found += [SettingMend(name, near)] if near is not None else []
        elif name in texts:
            found += [SettingMend(near, texts[name], name) for near in near_names(name, parameters)[:1]]
    if not faults:
        made = operator_class(**values)
        try:
            made.check()
        except ParameterError as error:
            found = reconcile(made, error)
    return found


def reconcile(operator: "Operator", error: ParameterError) -> list[SettingMend]:
    """Return changes of one setting after which all of them go together: of the blamed one, then of one beside it."""
    named = [each for each in operator.parameters if each.name in _words(error.sentence)]
    blamed = [each for each in operator.parameters if each.name == error.port]
    found: list[SettingMend] = []
    for parameter in dict.fromkeys((*blamed, *named)):
        found += islice(_settling(operator, parameter), 1)
    return found[:_MOST_OFFERS]


def settings_with_ports(operator: "Operator", fits: Callable[[Sequence[str]], bool]) -> list[SettingMend]:
    """Return changes of one setting, yes or no or a word, with which a node has the ports that were wired."""
    found = []
    for parameter in operator.parameters:
        old = getattr(operator, parameter.name)
        for value in (not old,) if parameter.kind == "bool" else parameter.choices:
            try:
                changed = attrs.evolve(operator, **{parameter.name: value})
                changed.check()
            except EngineError:
                continue
            if value != old and fits([port.name for port in changed.ports]):
                found.append(SettingMend(parameter.name, as_text(value)))
                break
    return found[:_MOST_OFFERS]


def with_advice(sentence: str, offers: Sequence[str]) -> str:
    """Add what would help to a sentence, as another."""
    if not offers:
        return sentence
    return f"{sentence} {offers[0][0].upper()}{', or '.join(offers)[1:]}."


def _words(sentence: str) -> set[str]:
    return set(sentence.replace(",", " ").replace(":", " ").replace(".", " ").split())


def _settling(operator: "Operator", parameter: Parameter) -> Iterator[SettingMend]:
    for value in _others(operator, parameter):
        text = as_text(value)
        try:
            parameter.parse(text)
            changes: dict[str, Any] = {parameter.name: value}
            attrs.evolve(operator, **changes).check()
        except (EngineError, ValueError, IndexError, ArithmeticError):
            continue
        is_default = not parameter.required and value == parameter.default
        yield SettingMend(parameter.name, None if is_default else text)


def _others(operator: "Operator", parameter: Parameter) -> Iterator[Any]:
    """Go through other values of one setting, the nearest first."""
    old = getattr(operator, parameter.name)
    if parameter.kind in ("ints", "floats"):
        have = [len(value) for value in _beside(operator, parameter, tuple) if value]
        nearest = sorted(range(1, _MOST_AXES), key=lambda size: (abs(size - len(old or (0, 0))), -size))
        for length in dict.fromkeys((*have, *nearest)):
            yield _resized(old, length)
    elif parameter.kind == "int":
        start = old if isinstance(old, int) else 0
        for distance in range(1, _FARTHEST):
            yield from (start - distance, start + distance)
    elif parameter.kind == "float":
        yield from _beside(operator, parameter, float)
    if not parameter.required:
        yield parameter.default
    alike = SequenceMatcher(None, b=str(old))
    others = [choice for choice in parameter.choices if choice != old]
    yield from sorted(others, key=lambda choice: -_likeness(alike, choice))


def _likeness(alike: SequenceMatcher[str], choice: str) -> float:
    alike.set_seq1(choice)
    return alike.ratio()


def _beside(operator: "Operator", parameter: Parameter, kind: type) -> list[Any]:
    """List the values of the other settings that are of one kind."""
    values = [getattr(operator, other.name) for other in operator.parameters if other.name != parameter.name]
    return [value for value in values if isinstance(value, kind)]


def _resized(old: Sequence[Any] | None, length: int) -> tuple[Any, ...]:
    """Cut a list of numbers, or go on with its last."""
    have = tuple(old or (2,))
    return (*have, *have[-1:] * length)[:length]
