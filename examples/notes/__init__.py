"""A plain feature in the four-file form: private notes with filters, an owner rule and pages."""
