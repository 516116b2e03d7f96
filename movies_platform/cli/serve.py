"""`serve` and `keys`: the HTTP API, and who may read it."""

import datetime as dt
from importlib.util import find_spec

import click

from movies_platform.errors import SettingsError

_NEEDED = "This command needs the extra 'api': pip install 'movies-platform[api]'."


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to serve on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
@click.option("--access-log", is_flag=True, help="Log a line for each request.")
def serve(host: str, port: int, workers: int, access_log: bool) -> None:
    """Serve the published snapshots over HTTP.

    The latest snapshot is read from MOVIES_PUBLISHED, and a new one takes its place by itself. A page for people is at
    /, the documentation at /docs, and Prometheus' metrics on a port of their own (MOVIES_API_METRICS_PORT). Without
    MOVIES_API_AUTH it serves this machine only.
    """
    if not find_spec("granian"):
        raise SettingsError(_NEEDED)
    from movies_platform.api.server import serve as run
    from movies_platform.settings import check_settings

    check_settings()
    run(host, port, workers, access_log=access_log)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    The file MOVIES_API_KEYS holds their digests only: a key is shown once, when it is made. Servers that run see a
    change within two seconds.
    """
    if not find_spec("orjson"):
        raise SettingsError(_NEEDED)


@keys.command()
@click.argument("name")
@click.option("--quota", type=click.IntRange(1), help="Units a minute, instead of MOVIES_API_QUOTA.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Days after which it expires.")
def create(name: str, quota: int | None, days: int | None) -> None:
    """Make a key for NAME (who uses it, and what for) and print it."""
    from movies_platform.api.auth import KeyFile
    from movies_platform.settings import settings

    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None
    key, text = KeyFile(settings().api_keys).create(name, quota, expires)
    click.echo(text)
    click.echo(f"made key {key.id} for {name}. It is not shown again.", err=True)


@keys.command("list")
def list_keys() -> None:
    """Show every key but the key itself."""
    from movies_platform.api.auth import KeyFile
    from movies_platform.cli.output import table
    from movies_platform.settings import settings

    rows = [(k.id, k.name, k.created_at, k.expires_at, k.revoked_at, k.quota)
            for k in KeyFile(settings().api_keys).read()]  # fmt: skip
    click.echo(table(["id", "name", "created", "expires", "revoked", "quota"], rows))


@keys.command()
@click.argument("identifier", metavar="ID")
def revoke(identifier: str) -> None:
    """Revoke the key ID, as 'keys list' shows it."""
    from movies_platform.api.auth import KeyFile
    from movies_platform.settings import settings

    key = KeyFile(settings().api_keys).revoke(identifier)
    click.echo(f"revoked key {key.id} of {key.name}")
