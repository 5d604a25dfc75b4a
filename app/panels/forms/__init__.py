"""Forms made from declarations: editors, rows, and the few that panels share."""
