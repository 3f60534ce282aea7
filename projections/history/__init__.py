"""A deal's timeline in words, for an auditor."""
