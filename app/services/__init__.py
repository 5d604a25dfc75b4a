"""Files, formats, generated code, layout and lessons: everything around the engine that needs no Qt."""
