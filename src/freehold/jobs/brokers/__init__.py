"""The brokers that wake-ups may go by: one module each, imported only where it is used."""
