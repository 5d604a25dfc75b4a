"""The gallery: documents that come with the program, to be opened, run and changed."""

import json
from functools import cache

import attrs

from app.document.records import Document
from app.resources import resource
from app.services.project_file import read_project


@attrs.frozen
class GalleryEntry:
    """One document of the gallery as the start page lists it."""

    id: str
    title: str
    subtitle: str
    group: str


@cache
def entries() -> tuple[GalleryEntry, ...]:
    """Return all entries in the order in which they are to be shown."""
    listed = json.loads(resource("gallery", "index.json").read_text(encoding="utf-8"))
    return tuple(GalleryEntry(**entry) for entry in listed)


def open_entry(entry_id: str) -> Document:
    """Return a fresh document for an entry; KeyError for an id that is not listed."""
    if all(entry.id != entry_id for entry in entries()):
        raise KeyError(entry_id)
    return read_project(resource("gallery", f"{entry_id}.chalk"))
