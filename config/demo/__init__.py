"""The demo: three merchants, a processor and a bank of our own, and one business day of theirs."""
