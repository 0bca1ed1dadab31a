"""A job as the fields of a form: read into the JSON that REST takes, and shown again."""
