"""Mizan's judge: takes a submission in, checks and trains it, and makes the Result and the report of it."""

__version__ = "0.1.0"
