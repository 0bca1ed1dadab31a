"""Stores results and shows them: REST, page, command line, dispatcher."""
