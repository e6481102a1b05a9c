"""The Dagster home (the folder where Dagster records runs) and its Dagster instance.

``DAGSTER_HOME`` names it. Without that variable it is the nearest folder with a ``dagster.yaml``, from the working
folder upwards, so that commands work anywhere in a project. Outside any project it is a folder in the user's home.
Finding it does not load Dagster.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from rainbow_assets import progress
from rainbow_assets.atomic import replace_file
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.storage.lock import file_lock
from rainbow_assets.terminal import say

if TYPE_CHECKING:
    from dagster import DagsterInstance

VARIABLE, CONFIG, LOCK = "DAGSTER_HOME", "dagster.yaml", ".dagster-home.lock"


def dagster_home() -> Path:
    """Return the Dagster home and set ``DAGSTER_HOME`` to it; if the variable was not set, print the home.

    Raises ``UsageError`` if ``DAGSTER_HOME`` is not a folder.
    """
    named = os.environ.get(VARIABLE)
    if named:
        home = Path(named).absolute()  # Dagster accepts absolute paths only
        if not home.is_dir():
            raise UsageError(f"{VARIABLE} is {named}, which is not a folder; run: export {VARIABLE}=$PWD, in the "
                             "project's folder, or unset it")
    else:
        home = _project() or _users()
        if not progress.quiet:
            say(f"{VARIABLE} is not set; using {home}", err=True)
    os.environ[VARIABLE] = str(home)
    return home


def _project() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / CONFIG).is_file()), None)


def _users() -> Path:
    """Return the folder for work outside any project; write its ``dagster.yaml`` if it is missing."""
    home = Path(platformdirs.user_data_dir("rainbow_assets", appauthor=False)) / "dagster"
    try:
        if not (home / CONFIG).exists():
            template = (resources.files("rainbow_assets") / "project" / CONFIG).read_text("utf-8")
            # As a whole, so that a second process never reads half of it.
            replace_file(home / CONFIG, template.encode())
    except OSError as error:
        raise UsageError(f"{VARIABLE} is not set, and {home} cannot be used ({error.strerror}); run: export "
                         f"{VARIABLE}=FOLDER, with a folder that you may write") from error
    return home


def instance() -> DagsterInstance:
    """Return the Dagster instance of the home.

    Raises ``UsageError`` if the home is not a folder or its ``dagster.yaml`` is invalid, and ``RainbowError`` if its
    database cannot be used.
    """
    home = dagster_home()
    import dagster as dg  # slow to load; a command that finds nothing to do does not need it

    # Two processes that create a database at once can leave it unusable. The storage of below_home has a lock of its
    # own; this one is for homes whose dagster.yaml names another storage.
    with file_lock(home / LOCK), database():
        try:
            return dg.DagsterInstance.get()
        except dg.DagsterError as error:
            raise UsageError(f"{home / CONFIG} cannot be used: {str(error).strip().splitlines()[0]}") from error


@contextmanager
def database() -> Iterator[None]:
    """Raise the errors of Dagster's database as ``RainbowError``."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise RainbowError(
            f"Dagster's database cannot be used ({error.orig}); check that {os.environ[VARIABLE]} can be written, that "
            "its disk is not full, and that no other program has locked the database") from error
