"""Builds the views and panels of a window and joins them; all of it after the first paint."""
