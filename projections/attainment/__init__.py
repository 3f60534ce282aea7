"""Who has booked how much of which quota, and when."""
