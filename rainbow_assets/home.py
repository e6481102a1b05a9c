"""The Dagster home: the folder where runs are recorded, and the instance that lives there.

``DAGSTER_HOME`` names it. Without that variable it is the nearest folder with a ``dagster.yaml``, from the working
folder upwards, so that commands work anywhere in a project; and outside of any project a folder of the user's. Finding
it loads no Dagster.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from rainbow_assets import progress
from rainbow_assets.atomic import replace_file
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.storage.lock import file_lock

if TYPE_CHECKING:
    from dagster import DagsterInstance

VARIABLE, CONFIG, LOCK = "DAGSTER_HOME", "dagster.yaml", ".dagster-home.lock"


def dagster_home() -> Path:
    """Return the Dagster home, and set ``DAGSTER_HOME`` to it; one that nobody named is printed on standard error.

    Raises ``UsageError`` if ``DAGSTER_HOME`` is not a folder.
    """
    named = os.environ.get(VARIABLE)
    if named:
        home = Path(named).absolute()  # Dagster refuses a relative one
        if not home.is_dir():
            raise UsageError(f"{VARIABLE} is {named}, which is not a folder; run: export {VARIABLE}=$PWD, in the "
                             "project's folder, or unset it")
    else:
        home = _project() or _users()
        if not progress.quiet:
            click.echo(f"{VARIABLE} is not set; using {home}", err=True)
    os.environ[VARIABLE] = str(home)
    return home


def _project() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / CONFIG).is_file()), None)


def _users() -> Path:
    """Return the folder for work outside of any project; its ``dagster.yaml`` is written if it is missing."""
    home = Path(platformdirs.user_data_dir("rainbow_assets", appauthor=False)) / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / CONFIG).exists():
        template = (resources.files("rainbow_assets") / "project" / CONFIG).read_text("utf-8")
        # As a whole, so that a second process never reads half of it.
        replace_file(home / CONFIG, template.encode())
    return home


def instance() -> DagsterInstance:
    """Return the Dagster instance of the home.

    Raises ``UsageError`` for a home that is no folder or has an unusable ``dagster.yaml``, and ``RainbowError`` for a
    database that cannot be used.
    """
    home = dagster_home()
    import dagster as dg  # slow to load, and a command that finds nothing to do can spare it

    # For a home without the storage of below_home, which has a lock itself: two processes that open an unused one at
    # once may leave its database half made, for good.
    with file_lock(home / LOCK), database():
        try:
            return dg.DagsterInstance.get()
        except dg.DagsterError as error:
            raise UsageError(f"{home / CONFIG} cannot be used: {str(error).strip().splitlines()[0]}") from error


@contextmanager
def database() -> Iterator[None]:
    """Turn the errors of Dagster's database into a sentence."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise RainbowError(
            f"Dagster's database cannot be used ({error.orig}); check that {os.environ[VARIABLE]} can be written, that "
            "its disk is not full, and that no other program holds the database") from error
