"""Edits of what the arguments and outputs are bound to, and of the document's own settings."""

from typing import Any

import attrs

from app.document.changes import Draft, Transaction
from app.document.records import Binding, Document, Head


def set_binding(document: Document, binding: Binding) -> Transaction:
    """Set what an argument or auxiliary state is bound to; one that says nothing is dropped."""
    draft = Draft(document)
    if binding == Binding(binding.id):
        draft.drop("bindings", binding.id)
    else:
        draft.put(binding)
    return draft.transaction(f"Set the value of {binding.id}", merge=f"binding:{binding.id}")


def set_head_gradient(document: Document, output: str, gradient: str) -> Transaction:
    """Set the gradient that is handed to backward for one output; the usual 1 is not kept."""
    draft = Draft(document)
    head = Head(output, gradient.strip())
    if head == Head(output):
        draft.drop("heads", output)
    else:
        draft.put(head)
    return draft.transaction(f"Set the gradient of {output}", merge=f"head:{output}")


_OPTION_LABELS = {
    "title": "Change the title",
    "heads": "Choose the outputs",
    "seed": "Change the seed",
    "train": "Change the mode",
    "style": "Change the node style",
    "batch": "Change the batch",
    "batch_start": "Change the batch",
    "show_auto": "Show or hide self-made arguments",
}


def set_options(document: Document, **changes: Any) -> Transaction:
    """Change settings of the document as a whole, by their names in the record."""
    draft = Draft(document)
    draft.put(attrs.evolve(document.options, **changes))
    label = _OPTION_LABELS[next(iter(changes))] if changes else ""
    return draft.transaction(label, merge="options:" + ",".join(sorted(changes)))
