"""Exchanges on a terminal."""
