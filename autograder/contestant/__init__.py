"""The untrusted side: a warm process that forks contestants, and what a contestant does. It only computes.

Nothing here may import the judge, the assignment or an answer: a contestant inherits this process's memory.
"""
