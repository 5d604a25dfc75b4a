"""Gradients compared with finite differences, on a copy of the graph in double precision."""
