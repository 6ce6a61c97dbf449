"""Books: kept by whoever wrote them in, seen by everyone once published."""
