"""The acts of the drill, in the order in which they are played."""
