"""The four steps of a layered drawing: ranks, lanes for long wires, order within a rank, and coordinates."""
