"""The HTTP API: routes, problems and the shapes of requests and answers."""
