"""The HTTP edge of payments."""
