"""Options that several commands have."""

import click

port_option = click.option(
    "--port",
    "-p",
    type=int,
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)

control_option = click.option(
    "--control",
    metavar="PATH",
    envvar=["GROUNDWIRE_CONTROL", "GROUNDWIRE_RUN_CONTROL"],
    help="The server's control socket: what it was started with as --control.",
)
