from tests.cast import acme, alice, bob, charlie, globex

__all__ = ["acme", "alice", "bob", "charlie", "globex"]
