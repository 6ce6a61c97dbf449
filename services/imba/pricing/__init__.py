"""What a stay costs and on which terms: rules of the property, a quote, and what a cancellation gives back."""
