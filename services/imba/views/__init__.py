"""How often listings are looked at, counted in memory and written every few seconds."""
