"""The comparison of a job: its methods against each other, as the API answers it."""
