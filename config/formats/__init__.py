"""How this house writes dates."""
