"""Statements in; matches, discrepancies and proofs out."""
