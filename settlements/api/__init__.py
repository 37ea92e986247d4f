"""The HTTP edge of settlement."""
