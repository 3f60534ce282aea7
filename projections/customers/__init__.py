"""What became of customers after the win: whether they came back, and reached what they wanted."""
