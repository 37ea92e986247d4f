"""What the back office shows across all floors: the landing page, the way around, the search."""
