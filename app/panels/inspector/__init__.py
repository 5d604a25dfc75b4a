"""The panel that says everything about what is selected."""
