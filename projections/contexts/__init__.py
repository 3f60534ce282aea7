"""What every event of a deal stands in: the deal as the event left it."""
