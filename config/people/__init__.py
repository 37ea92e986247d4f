"""People of the back office: their roles, how they sign in, and what is written down about it."""
