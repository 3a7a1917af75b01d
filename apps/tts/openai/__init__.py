"""OpenAI's speech API: `POST /v1/audio/speech`, `GET /v1/models`, `GET /v1/models/{id}`.

An app that speaks through OpenAI's clients speaks through us once its base URL is `https://…/v1` and its key
is one of ours. What a client sends, and what becomes of it:

- `model`: `tts-1`, `tts-1-hd` and `gpt-4o-mini-tts`, also with a date, leave the choice to the platform; or
  the name of one of ours (`catalogue`).
- `voice`: one of OpenAI's names, by the table in `voices`; or the name or id of one of ours, also as
  `{"id": …}`.
- `instructions`: taken and not followed, since no engine here can be told in words how to speak.
- Fields of our engines (`exaggeration`, `temperature`, `seed`, …) may stand beside OpenAI's own. Fields that
  nobody knows are passed over, as apps send what newer servers understand.
- Words in brackets that are no tag are left out unless `unknown_tags` says otherwise.

The answer always begins before the last of it is made: a WAV tells 0xFFFFFFFF for its sizes. Where speech
breaks off after its first byte, the connection breaks too, and OpenAI's clients ask once more; with
`stream_format` `sse` an `error` event comes before.
"""
