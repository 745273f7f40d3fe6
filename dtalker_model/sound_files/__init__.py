"""Sound files, whole, joined or streamed, from a disk, from memory or through a pipe: one reader for all of dtalker."""
