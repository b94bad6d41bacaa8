"""The drill: a live world of real processes on loopback, a timeline, a score and a report.

This file imports nothing, because each child process of the drill passes through it and must start fast.
"""
