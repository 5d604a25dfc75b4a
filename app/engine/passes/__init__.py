"""Passes: each makes the calls of a bound plan faster without changing what they compute."""
