"""One class per gesture: begin, step, end, cancel."""
