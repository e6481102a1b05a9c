"""The one Jinja environment: what a template shows is escaped for its format, unless Python has made it for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from rainbow_assets.markdown import Markdown, escaped
from rainbow_assets.text import plain


@jinja2.pass_eval_context
def _shown(context: Any, value: Any) -> Any:
    """Return ``value`` as its template may show it; Jinja calls this for every expression."""
    if not isinstance(value, str) or isinstance(value, Markdown) or hasattr(value, "__html__"):
        return value
    return plain(value) if context.autoescape else escaped(value)


def environment(folder: Path) -> jinja2.Environment:
    """Return the environment of the templates in ``folder``: ``.html.j2`` is HTML, ``.md.j2`` is Markdown."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(("html.j2", "css.j2")))
