"""The memory of a bind: every array from its birth to its last use, and what lives at one time."""
