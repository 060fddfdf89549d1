"""Many networks at once: the row of each, and what all rows say."""
