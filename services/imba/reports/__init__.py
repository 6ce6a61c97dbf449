"""Messages that somebody reports, and what moderators do about them."""
