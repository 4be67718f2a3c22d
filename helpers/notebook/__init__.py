"""What a notebook shows and does: set-up, public checks, and packing what is handed in."""
