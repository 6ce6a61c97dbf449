"""Request text becomes a checked query. Pure: no I/O, no HTTP, no statement is run here.

spec    what a resource may be asked, checked against its declaration at start-up
parse   parameters of a request -> `ListQuery`, or a 422 that names the parameter
cursor  places in a list, signed
links   the addresses of the next, the previous and the first page
"""
