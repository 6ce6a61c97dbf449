"""Operations of resources that are answered in front of FastAPI's router, from a table made at the start.

What stands here gives the answers that the endpoints of `reads` give through FastAPI: same order of refusals, same bytes, same
headers. Whatever is not in the table goes on to FastAPI, which owns the routes and the document.
"""
