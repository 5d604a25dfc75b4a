"""The memory of a bind in words: the peak in a sentence, and everything about one array."""

from html import escape
from typing import TYPE_CHECKING

from app.panels.amounts import bytes_text
from app.qt import fonts

if TYPE_CHECKING:
    from app.services.memory_map import ArrayKind, MappedArray, MemoryMap, MemoryMaps, Purpose

NAMED = 3
"""So many arrays that share one's memory are named."""
KINDS: "dict[ArrayKind, str]" = {
    "value": "value",
    "output": "output",
    "gradient": "gradient",
    "head gradient": "handed in",
}
"""The words of the legend."""
NO_GRADIENT = "No argument asks for a gradient, so training takes what inference takes."


def peak_words(maps: "MemoryMaps", purpose: "Purpose", *, share: bool) -> str:
    """Say what a plan takes, and when most of it is in use."""
    plan, other = maps.get(purpose, share=share), maps.get(purpose, share=not share)
    if not plan.arrays:
        return "This graph has no arrays between its arguments: nothing is computed."
    where = f"at step {plan.peak_step + 1}, {plan.steps[plan.peak_step].words}"
    if share:
        laid = f", laid out in {bytes_text(plan.total)}" if plan.total > plan.peak else ""
        return f"Peak {bytes_text(plan.peak)} {where}{laid}; without sharing {bytes_text(other.total)}."
    return (
        f"{bytes_text(plan.total)} without sharing, {bytes_text(other.total)} with it;"
        f" at most {bytes_text(plan.peak)} in use, {where}."
    )


def beside_words(maps: "MemoryMaps", purpose: "Purpose", *, is_bound: bool) -> str:
    """Say what lives all the time beside a plan, and what the window itself does."""
    parts = [f"arguments and states {bytes_text(maps.values)}"]
    if purpose == "training" and maps.gradients:
        parts.append(f"gradient buffers {bytes_text(maps.gradients)}")
    sentences = [f"Beside it all the time: {', '.join(parts)}."]
    if purpose == "training" and not maps.gradients:
        sentences.append(NO_GRADIENT)
    if is_bound:
        sentences.append("This window binds without sharing, so that every array can be looked at.")
    else:
        sentences.append("Nothing is bound yet: F5 binds and runs it.")
    return " ".join(sentences)


def shape_words(array: "MappedArray") -> str:
    """Write shape and type: "(64, 10) float32"."""
    sizes = ", ".join(map(str, array.shape))
    return f"({sizes}{',' if len(array.shape) == 1 else ''}) {array.dtype}"


def line_of(plan: "MemoryMap", number: int) -> str:
    """Say the most important of one array in one line, without its name."""
    array = plan.arrays[number]
    parts = [shape_words(array), bytes_text(array.size), _life_in_short(plan, array)]
    if array.before is not None:
        parts.append(f"in place of {plan.arrays[array.before].name}")
    return " · ".join(parts)


def sentence_of(plan: "MemoryMap", number: int) -> str:
    """Say everything about one array in a sentence, for a screen reader."""
    array = plan.arrays[number]
    return ", ".join(
        [f"{array.name}, {_what(array)}", f"shape {shape_words(array)}", *_facts(plan, number)]
    ) + (f", {number + 1} of {len(plan.arrays)}.")


def tip_of(plan: "MemoryMap", number: int) -> str:
    """Say everything about one array over several lines of rich text."""
    array = plan.arrays[number]
    size, *facts = _facts(plan, number)
    lines = [
        f"{fonts.strong(escape(array.name))}&nbsp; {escape(_what(array))}",
        f"{shape_words(array)} · {size}",
        *map(escape, facts),
    ]
    return "<p style='white-space: pre'>" + "<br>".join(lines) + "</p>"


def _facts(plan: "MemoryMap", number: int) -> list[str]:
    array = plan.arrays[number]
    facts = [bytes_text(array.size), f"born at {_step(plan, array.birth)}"]
    if array.death < len(plan.steps):
        facts.append(f"last used at {_step(plan, array.death)}")
    else:
        facts.append("an output, lives to the end")
    facts.append(f"block {array.block + 1} of {plan.block_count}, from {bytes_text(array.offset)} on")
    if array.before is not None:
        facts.append(f"in place of {plan.arrays[array.before].name}")
    if array.after is not None:
        facts.append(f"{plan.arrays[array.after].name} is written over it")
    sharing = [other for other in plan.sharing(number) if other not in (array.before, array.after)]
    if sharing:
        names = ", ".join(plan.arrays[other].name for other in sharing[:NAMED])
        more = f" and {len(sharing) - NAMED} more" if len(sharing) > NAMED else ""
        facts.append(f"at other times its memory is that of {names}{more}")
    if array.in_strips:
        facts.append("found strip by strip, each added at once; this is the shape of a strip")
    return facts


def _what(array: "MappedArray") -> str:
    match array.kind:
        case "output":
            return f"output of {array.node_name}"
        case "gradient":
            return f"gradient of {array.node_name}"
        case "head gradient":
            return f"gradient handed in for {array.node_name}"
    return f"value of {array.node_name}"


def _step(plan: "MemoryMap", number: int) -> str:
    return f"step {number + 1}, {plan.steps[number].words}"


def _life_in_short(plan: "MemoryMap", array: "MappedArray") -> str:
    if array.death >= len(plan.steps):
        return f"step {array.birth + 1} to the end"
    if array.birth == array.death:
        return f"step {array.birth + 1}"
    return f"steps {array.birth + 1} to {array.death + 1}"
