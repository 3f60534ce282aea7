"""What the pages ask the application, through the same questions and permissions as the API."""
