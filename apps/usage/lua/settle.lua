-- Gives back what has ended; see `give_back` in common.lua.
give_back(1, 1)
