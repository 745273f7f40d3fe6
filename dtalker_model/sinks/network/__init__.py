"""Live to other programs over UDP, at their pace: Unreal and whatever speaks VMC."""
