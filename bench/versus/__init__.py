"""One service in many frameworks, side by side: CPU per request, requests per second, latency.

`python -m bench.versus --help` tells how. Peers are in `bench/peers`.
"""
