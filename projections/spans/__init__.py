"""The state of every deal over time: one row for each span of positions it was constant in."""
