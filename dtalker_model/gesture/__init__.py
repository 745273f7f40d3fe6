"""How head and eyes move with a voice: a head that sways and nods, eyes that glance past and return."""
