"""What may happen to a deal: one module for each kind of reason to refuse it."""
