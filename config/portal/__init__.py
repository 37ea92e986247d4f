"""A merchant's own pages: plain HTML for its members, below /portal/."""
