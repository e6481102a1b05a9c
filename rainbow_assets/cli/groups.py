"""A group of commands whose help shows every summary whole; click cuts them to what fits one line of 80 columns."""

from __future__ import annotations

import click


class WholeSummaries(click.Group):
    """Commands with one line each, wrapped where the terminal ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in commands if command])
