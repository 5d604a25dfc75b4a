"""The board: scenes, items, gestures."""
