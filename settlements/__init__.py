"""What merchants earned, batched by business day, and the payouts that deliver it."""
