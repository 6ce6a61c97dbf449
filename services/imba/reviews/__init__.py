"""What the two sides of a stay say of each other afterwards."""
