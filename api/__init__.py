"""Everything that touches the world: storage, HTTP, pages, formats and the command line."""
