"""The pages a browser sees: drawn on the server, complete without script."""
