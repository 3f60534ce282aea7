"""Which of a deal's events are consistent with quota pressure, and by which facts."""
