"""Logs, metrics and health.

What is seen of a running service belongs here: how a log line is made and cleaned, what is counted, what "ready" means.
No HTTP (`web.probes` serves these), no SQL (a check is a callable that somebody else gives), and no secret ever leaves.
"""
