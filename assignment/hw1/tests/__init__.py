"""The checks: what `pytest` runs in the student's folder is what the grader runs, with other inputs."""
