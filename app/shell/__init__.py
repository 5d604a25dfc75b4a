"""The window that holds board and panels, and the actions of the program."""
