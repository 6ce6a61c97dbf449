"""Imba with everything that it has in production, on one machine and without containers: `make cluster`.

The shape is that of deploy/compose.yaml: PostgreSQL, Redis, NATS, a server that speaks S3, one that takes mail, several
API processes behind nginx, and workers. Everything stands in one folder, var/cluster: rows, logs, pid files.
"""
