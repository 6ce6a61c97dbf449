"""Services built on Freehold: each can be lifted out of the repository whole."""
