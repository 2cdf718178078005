"""One room, served by many: people wait in it, and what somebody says everybody is told.

`python -m stormy_demo.peers.rooms NAME` serves one of them, and each does the same: on a
WebSocket at `/socket` it tells the text of a message as it was said; it answers each
`GET /news` with the next one; `POST /say` says one, and `GET /waiting` tells how many wait for
news. Those with `socketio` in their name speak Socket.IO 5 instead: an event `say`, and an
event `said` for everybody.

They are the shortest that do this, to be compared: they keep nothing for those who come late,
and none has a bound on what waits for those who read slowly, as `batteries.chat` has.
"""
