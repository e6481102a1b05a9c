"""A group of commands whose help shows every summary as a whole; click would cut them to one line of 80 columns."""

from __future__ import annotations

import click


class WholeSummaries(click.Group):
    """Commands with their whole summaries, wrapped at the width of the terminal."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in commands if command])
