"""What takes the nights of a property: its owner, a stay, or a calendar elsewhere."""
