"""The take on a head: an animated glTF, and a film with sound."""
