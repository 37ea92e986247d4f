"""Ways to move money to a bank."""
