"""How the pictures of `tabletop` are drawn."""
