"""Webhooks: who is told of what, how messages are signed, and how they are sent without reaching inwards."""
