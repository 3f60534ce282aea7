"""What a manager asks of a deal in a review, answered from what was recorded."""
