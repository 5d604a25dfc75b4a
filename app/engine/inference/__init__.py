"""Inference: shapes and types of all that a graph computes, with reasons, and mends for what does not fit."""
