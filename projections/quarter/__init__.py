"""A quarter replayed: what moved its pipeline, its dates and its deals; nothing here does I/O."""
