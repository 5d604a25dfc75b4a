"""Chalkgraph draws computation: code, symbol graph and executor graph of one thing."""
