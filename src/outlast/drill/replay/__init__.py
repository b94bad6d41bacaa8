"""What the explorer found, played on real processes: a trace as a script, and `outlast drill --trace` that forces it."""
