"""Nodes and wires in words: the tip under a resting pointer, and the sentence for a screen reader."""

from html import escape
from typing import TYPE_CHECKING

from app.canvas.hits import Hit
from app.canvas.looks import NodeLook
from app.canvas.stepping_marks import in_words
from app.document.placed import all_placed, contents, counted, told
from app.document.records import GROUP, VARIABLE, Id
from app.document.topology import topology
from app.qt import fonts

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene
    from app.document.analysis import Analysis, ShapeText


def tip_for(scene: "BoardScene", hit: Hit) -> str:
    """Return rich text about what lies under the pointer, or nothing."""
    analysis = scene.appearance.analysis
    match hit.kind:
        case "node" | "name" | "output":
            return _page(_node_lines(scene, hit))
        case "input":
            return _page(_input_lines(scene, hit.node, hit.number))
        case "argument" | "argument shape":
            return _page(_argument_lines(scene, hit.node, hit.number))
        case "wire":
            return _page(_wire_lines(scene, hit.edge))
        case "annotation" if hit.annotation in scene.document.frames:
            return _page(_frame_lines(scene, hit.annotation))
        case "shape" if analysis is not None:
            return _page(["Click: why this shape?"])
    return ""


def _page(lines: list[str]) -> str:
    return "<p>" + "<br>".join(lines) + "</p>" if lines else ""


def _node_lines(scene: "BoardScene", hit: Hit) -> list[str]:
    look = scene.node_items[hit.node].look
    lines = [f"{fonts.strong(escape(look.name))}&nbsp; {escape(_kind(look))}"]
    lines += [f"⚠ {escape(sentence)}" for sentence in look.problem.splitlines()]
    analysis = scene.appearance.analysis
    if look.shape.kind == "group" or analysis is None:
        return lines
    number = hit.number if hit.kind == "output" else 0
    if number < len(look.outputs):
        kind = analysis.output_dtype(look.id, number)
        which = f"output {number} " if look.shape.outputs > 1 else ""
        shape = f"{which}{escape(look.outputs[number].text)}"
        lines.append(f"{shape} {kind}" if kind is not None else shape)
    heats = scene.heats
    lines += in_words(scene.marks, look.id, is_variable=look.shape.kind == "variable")
    if heats is None or not heats.has(look.id, "output"):
        is_stepping = heats is not None and heats.results is not None and heats.results.moment is not None
        lines.append(f"<i>{'not computed yet' if is_stepping else 'no numbers yet: run Forward'}</i>")
        return lines
    for which, title in (("output", "value"), ("gradient", "gradient")):
        said = heats.lines(look.id, which)
        if said:
            lines.append(f"{fonts.strong(title)}&nbsp; {escape(said[0])}")
            lines += [escape(line) for line in said[1:]]
    if not heats.is_current:
        lines.append("<i>not run since the last edit</i>")
    return lines


def _kind(look: NodeLook) -> str:
    if look.shape.kind == "variable":
        return "Variable"
    if look.shape.kind == "auxiliary":
        return "auxiliary state"
    return " · ".join(part for part in (look.operator, look.summary) if part)


def _input_lines(scene: "BoardScene", node: Id, number: int) -> list[str]:
    look = scene.node_items[node].look
    port = look.port(number)
    analysis = scene.appearance.analysis
    if not port.name:
        return [f"one more input of {fonts.strong(escape(look.name))}"]
    lines = [f"input {fonts.strong(escape(port.name))} of {escape(look.name)}"]
    if port.role not in ("data", ""):
        lines[0] += f" ({port.role})"
    if analysis is not None:
        lines.append(str(analysis.input_shape(node, number)))
    return lines


def _argument_lines(scene: "BoardScene", node: Id, number: int) -> list[str]:
    look = scene.auto_items[node, number].look
    kind = "auxiliary state" if look.role == "auxiliary" else "argument"
    lines = [
        f"{fonts.strong(escape(look.name))}&nbsp; {kind} made for {escape(look.port)}",
        escape(look.shape.text),
    ]
    results = scene.heats.results if scene.heats is not None else None
    array = results.argument(look.name) if results is not None else None
    if array is not None:
        from app.canvas.heat import summary_lines

        lines += [escape(line) for line in summary_lines(array)]
    lines.append("<i>drag it out to make it a Variable of its own</i>")
    return lines


def _wire_lines(scene: "BoardScene", edge_id: Id) -> list[str]:
    edge = scene.document.edges[edge_id]
    look = scene.edge_items[edge_id].look
    source = scene.document.nodes[edge.source].name
    target = scene.node_items[edge.target].look
    port = target.port(edge.input).name or f"input {edge.input}"
    lines = [f"{escape(source)} → {escape(target.name)}, {escape(port)}&nbsp; {escape(look.shape.text)}"]
    if look.problem:
        lines.append(f"⚠ {escape(look.problem)}")
    return lines


def board_summary(scene: "BoardScene") -> str:
    """Say what the small pictures on the nodes are; nothing while there are none."""
    looks = [item.look for item in scene.node_items.values()]
    if not any(look.has_output and not look.number for look in looks):
        return ""
    return "heatmaps: output | gradient" if any(look.has_gradient for look in looks) else "heatmaps: output"


def _frame_lines(scene: "BoardScene", key: Id) -> list[str]:
    """Tell the whole title, which the bar may have no room for, and what goes along."""
    title, inside = scene.document.frames[key].title, contents(scene.document, key)
    lines = [fonts.strong(escape(title))] if title else []
    return [
        *lines,
        f"<i>drag the bar to move it with {told(scene.document, inside)}</i>" if inside else "<i>empty</i>",
    ]


def accessible_sentence(scene: "BoardScene", key: Id) -> str:
    """Say a node, a frame or a note in one sentence."""
    document = scene.document
    if key in document.frames:
        title, inside = document.frames[key].title, contents(document, key)
        holds = f"holds {told(document, inside)}" if inside else "empty"
        return f"Frame {title}, {holds}" if title else f"Frame without a title, {holds}"
    if key in document.notes:
        return "Note, " + " ".join(scene.annotations.notes[key].plain_text.split())
    return _node_sentence(scene, key) if key in scene.node_items else ""


def selection_sentence(scene: "BoardScene") -> str:
    """Say what is selected: one thing in its own sentence, several by their number."""
    document, selection = scene.workspace.document, scene.workspace.store.selection
    keys = [key for key in all_placed(document) if key in selection]
    wires = [key for key in scene.edge_items if key in selection]
    if len(keys) == 1 and not wires:
        return accessible_sentence(scene, keys[0])
    if len(wires) == 1 and not keys:
        return wire_sentence(scene, wires[0])
    return f"{counted(document, keys, len(wires))} selected" if keys or wires else ""


def wire_sentence(scene: "BoardScene", edge_id: Id) -> str:
    """Say a wire in one sentence: where it leads from and to, its shape, and what is wrong."""
    edge, look = scene.document.edges[edge_id], scene.edge_items[edge_id].look
    target = scene.node_items[edge.target].look
    port = target.port(edge.input).name or f"input {edge.input}"
    analysis = scene.appearance.analysis
    parts = [f"Wire from {scene.document.nodes[edge.source].name} to {port} of {target.name}"]
    if analysis is not None:
        parts.append(spoken_shape(analysis.wire_shape(edge_id)))
    parts.append(look.problem.replace("\n", " ") if look.problem else "no errors")
    return ", ".join(parts)


def _node_sentence(scene: "BoardScene", node: Id) -> str:
    """Say what a node is, its inputs and output with their shapes, and what is wrong."""
    record = scene.document.nodes[node]
    look = scene.node_items[node].look
    analysis = scene.appearance.analysis
    kind = {VARIABLE: "Variable", GROUP: "Group"}.get(record.op, look.operator or record.op)
    parts = [f"{kind} {record.name}"]
    inputs = _spoken_inputs(scene, node, analysis)
    if inputs:
        parts.append("inputs " + ", ".join(inputs))
    if look.shape.kind != "group" and analysis is not None:
        shapes = [spoken_shape(found) for found in analysis.output_shapes(node)]
        word = "output" if len(shapes) == 1 else "outputs"
        parts.append(f"{word} {', '.join(shapes)}" if record.op != VARIABLE else f"shape {shapes[0]}")
    if look.number:
        parts.append(f"value {look.number}")
    parts += in_words(scene.marks, node, is_variable=record.op == VARIABLE)
    if look.tags:
        parts.append("bound as output " + " and ".join(map(str, look.tags)))
    parts.append(look.problem.replace("\n", " ") if look.problem else "no errors")
    return ", ".join(parts)


def _spoken_inputs(scene: "BoardScene", node: Id, analysis: "Analysis | None") -> list[str]:
    if analysis is None:
        return []
    wires = topology(scene.document).inputs(node)
    found = []
    for number, port in enumerate(analysis.ports(node)):
        edge = wires.get(number)
        source = f" from {scene.document.nodes[edge.source].name}" if edge is not None else ""
        found.append(f"{port.name} {spoken_shape(analysis.input_shape(node, number))}{source}")
    return found


def spoken_shape(found: "ShapeText") -> str:
    """Say a shape: 32×784, `unknown` where nothing is known."""
    if not found.shape:
        return "of unknown shape"
    return "×".join(str(size) if size else "unknown" for size in found.shape)
