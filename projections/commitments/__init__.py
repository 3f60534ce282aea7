"""What the customer committed to, what we promised, and who does the work."""
