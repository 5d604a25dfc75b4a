"""Operators, one family a module; the registry finds them by itself."""
