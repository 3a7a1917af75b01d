"""`Idempotency-Key`: a speech call that is made once, however often it is sent, and answered with the same.

Of a call that carries one, the first is made; another at the same time is told to wait; a later one gets the
stored answer again, without admission, charge or record. Only what came whole is kept, encrypted, for a day:
a refusal, a failure or a cut frees the key, so that a retry is made.
"""
