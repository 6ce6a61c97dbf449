"""What becomes of findings: suppressed, known from a baseline, printed, or written for other programs."""
