"""The history of an organization that asked for one: text and audio of its requests, for so many days.

Kept once an answer has ended whole, beside the request and never in its way. Members of the organization
search, hear and delete it; staff see that a request was kept, and never what was said.
"""
