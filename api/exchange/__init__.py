"""Formats in: readers turn a file of another system into lines, the pipeline appends them."""
