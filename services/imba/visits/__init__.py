"""When a property can be visited: opening hours by its own clock, and the slots that are free."""
