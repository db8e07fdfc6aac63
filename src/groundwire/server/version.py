"""Which version this is."""


def version() -> str:
    """Return the version that is installed, or ``(not installed)``."""
    # Reading the package's metadata imports the mail parser: only for those who ask.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("groundwire")
    except PackageNotFoundError:
        return "(not installed)"
