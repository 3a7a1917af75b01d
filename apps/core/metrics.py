"""Counters of what came of requests; refusals are counted here and nowhere else."""

from prometheus_client import Counter

SPEECH_REQUESTS = Counter("voiceflow_speech_requests", "Settled speech requests.", ["state"])
SPEECH_REFUSALS = Counter("voiceflow_speech_refusals", "Speech requests refused before work.", ["code"])
