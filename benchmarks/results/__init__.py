"""What the runs of `benchmarks/study.py` show: the judges' numbers, and the page `docs/results.md`.

What is said of two arms is `catgan compare`'s own verdict, so the page claims no more than a user
would be told of the same runs. What was not run stands there as that.
"""
