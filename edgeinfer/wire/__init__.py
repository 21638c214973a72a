"""Wire: decisions to messages; pure."""
