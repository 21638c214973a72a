"""How well a bundle does on data with known answers, and what a change of it costs; the daemon never comes here."""
