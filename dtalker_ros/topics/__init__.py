"""A talker node from outside: where its topics are, and the sound, face, head and faults that come on them."""
