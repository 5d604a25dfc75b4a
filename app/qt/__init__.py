"""Qt helpers that are no widgets."""
