"""What the upstream says, if it is to say something short, and what visitors are told."""

BODY = b'{"weather": "stormy", "wind": {"from": "north-west", "knots": 48}, "warm": false}'
