"""What patrons were told."""
