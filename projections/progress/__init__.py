"""How much of a deal's progress is shown by its customer, and how much is only ticked."""
