"""What lateness, loss and damage cost, and what was paid."""
