"""Messages between the two sides of a listing or a stay."""
