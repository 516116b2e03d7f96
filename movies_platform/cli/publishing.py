"""`publish`: the tables as files that others read."""

import sys

import click


@click.command()
@click.option("--insist", is_flag=True, help="Also when a table is empty or has shrunk; also when nothing is new.")
def publish(insist: bool) -> None:
    """Publish the tables as a snapshot: Parquet, CSV, a DuckDB file for analysts and two wide reports.

    The snapshot goes to MOVIES_PUBLISHED, a folder or s3://bucket/prefix, and becomes visible in one step. The same
    tables again publish nothing new. `refresh` does this at its end.
    """
    from movies_platform.handing_on import publish_in_a_run
    from movies_platform.resources.home import prepare_home

    prepare_home()
    done = publish_in_a_run(insist=insist)
    if done.problem:
        click.echo(done.problem, err=True)
        sys.exit(1)
    click.echo(f"{'published' if done.said['is_new'] else 'unchanged'} {done.said['snapshot']} at {done.said['place']}")
