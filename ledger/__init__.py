"""Money, accounts and the append-only journal. Imports Django and nothing of ours."""
