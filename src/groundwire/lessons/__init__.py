"""Fourteen lessons on HTTP: pages, the programs they speak of, and tasks that are checked on the wire.

`pages/`, `programs/` and `starters/` are what a learner reads; the modules here run, ask, compare and show them. The
pages in ``docs/tutorial/http`` are written from these files (`python -m groundwire.lessons.writing`), not beside them.
"""
