"""The staff desk: by barcode and card."""
