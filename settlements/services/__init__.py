"""Writes of settlements."""
