"""The trusted side: compares answers with the reference and decides. No student code runs here."""
