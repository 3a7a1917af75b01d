"""Sign-in with the OpenID Connect provider that the environment names, as a provider of allauth.

allauth's own one believes more than it should: it reads the ID token without its signature, does without one,
sends no nonce, takes any issuer that the discovery document claims, userinfo of whoever it is about, and an
address whose `email_verified` is the text "false". A provider that is away or talks nonsense is a 500 there.
"""
