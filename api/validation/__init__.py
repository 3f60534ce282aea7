"""Measures the verdicts on pressure against simulated histories whose truth is known."""
