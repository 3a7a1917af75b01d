"""The parts of `python -m voiceflow.run`: one command that starts, watches and stops everything."""
