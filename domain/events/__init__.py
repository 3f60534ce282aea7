"""Every event that the log may hold, by family; `catalogue` is the one list of them all."""
