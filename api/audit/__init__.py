"""What auditors read by SQL: rows that the folds write, and the page that documents them."""
