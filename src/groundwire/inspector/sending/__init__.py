"""Sending requests again, and telling two answers apart."""
