"""Points that people give for written answers."""
