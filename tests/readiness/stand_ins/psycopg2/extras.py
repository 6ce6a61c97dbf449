"""Empty: only its presence is asked for."""
