"""`report`: the tables as a page with pictures."""

import click


@click.command()
def report() -> None:
    """Write the report: pictures, the nine answers, the state of the checks.

    One page that needs nothing beside it, report/index.html, and the pictures as files, all in MOVIES_HOME.
    """
    import dagster as dg

    from movies_platform.report.page import draw, write_page
    from movies_platform.report.pictures import PICTURES
    from movies_platform.resources.home import prepare_home

    prepare_home()
    for picture in PICTURES:
        draw(picture)
    with dg.DagsterInstance.get() as instance:
        click.echo(f"The report is {write_page(instance)}; its pictures are beside it.")
