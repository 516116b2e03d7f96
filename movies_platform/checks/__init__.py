"""Checks: rules that every table must obey, generated from contracts or written by hand.

A check is a function of a connection (and, for monthly tables, a month) that finds the offenders. Checks
run inside the transaction that writes the table: when a blocking one fails, nothing is stored.
"""
