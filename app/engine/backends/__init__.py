"""Where the steps of a bind can be computed besides numpy; nothing here imports PyTorch before it is asked for."""
