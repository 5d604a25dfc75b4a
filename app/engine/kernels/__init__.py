"""Array craft behind the heavy operators, free of their declarations."""
