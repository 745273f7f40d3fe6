"""From a face to servos: a map of joints, their limits and rules, what keeps a servo alive, and what drives it."""
