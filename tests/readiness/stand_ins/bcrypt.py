"""Its presence is all that the audit needs."""
