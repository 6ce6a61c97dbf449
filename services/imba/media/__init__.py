"""Photos, videos and documents of landlords and their properties."""
