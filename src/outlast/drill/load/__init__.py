"""Groups of clients under open-loop load: one process, several independent hosts, one kind of client.

Run as `python -m outlast.drill.load OPTIONS.json`; the options are `options.LoadOptions`.
"""
