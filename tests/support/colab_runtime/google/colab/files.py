"""Downloads: their names are printed."""


def download(filename: str) -> None:
    """Offer a file to the browser."""
    print(f"[the browser offers {filename}]")
