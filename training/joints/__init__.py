"""Maps from faces to the joints of somebody's robot head, learned from recordings."""
