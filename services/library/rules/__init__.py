"""The rules of circulation: what is lent to whom, how long, and what lateness costs."""
