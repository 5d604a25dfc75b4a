"""Programs written from a graph: the Symbol API, numpy, and PyTorch."""
