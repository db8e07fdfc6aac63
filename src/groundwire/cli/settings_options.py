"""Options of `groundwire run` that are made from the table of settings."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from ..server.errors import StartError
from ..server.settings_table import (
    GROUPS,
    Setting,
    find,
    settings_table,
    variable_in,
)
from .errors import CannotStart

OWN_HEADING: Final = "The program"
"""Over the options that are no settings."""

FLAGS_WIDTH: Final = 31
"""Of the column with flags; a longer one has a line of its own."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class SettingType(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """What can be the value of a setting."""

    name = "value"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value that a text stands for; what is a value already stays it."""
        if not isinstance(value, str):
            return value
        try:
            return self.setting.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SettingOption(click.Option):
    """The option for one setting. Its value is None where nobody has said one."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        names = [f"-{flag}" if len(flag) == 1 else f"--{flag}" for flag in setting.flags]
        is_switch = setting.kind == "switch"
        if is_switch:
            names = [f"--{setting.flags[0]}/--no-{setting.flags[0]}"]
        super().__init__(
            [setting.name, *names],
            type=None if is_switch else SettingType(setting),
            metavar=None if is_switch else setting.placeholder,
            multiple=setting.kind == "texts",
            default=None,
            envvar=list(setting.variables),
        )

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the text of the variable that holds the setting."""
        found = variable_in(os.environ, self.setting)
        if found is None:
            return None
        ctx.meta[f"{__name__}.{self.name}"], text = found
        return text

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the value of the variable that holds the setting."""
        text = self.resolve_envvar_value(ctx)
        if text is None:
            return None
        try:
            return self.setting.parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, self) from error

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value; several texts that were given one by one are one tuple."""
        processed = super().process_value(ctx, value)
        if self.setting.kind == "texts" and processed is not None:
            parts: list[str] = []
            for part in processed:
                parts += part if isinstance(part, tuple) else (part,)
            return tuple(parts)
        return processed

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Say where a mistaken value comes from: the variable, or the flag."""
        flag = f"--{self.setting.flags[0]}"
        variable = ctx.meta.get(f"{__name__}.{self.name}") if ctx is not None else None
        return f"the variable {variable} (or {flag})" if variable else f"'{flag}'"

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the flag and the first sentence of what the setting's docstring says."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        flags = f"--{self.setting.flags[0]}"
        if "p" in self.setting.flags:
            flags = f"-p, {flags}"
        if self.setting.kind == "switch":
            flags = f"{flags} / --no-{self.setting.flags[0]}"
        else:
            alone = self.setting.alone is not None
            flags += f"[={self.setting.placeholder}]" if alone else f" {self.setting.placeholder}"
        text = first_sentence(self.setting.description)
        default = self.setting.shown_default
        return flags, f"{text} [{default}]" if default else text


class CommandWithSettings(click.Command):
    """A command whose help shows the settings under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments apart; a flag that means something alone never takes the next one for its value."""
        alone = {
            f"--{flag}": f"--{flag}={setting.alone}"
            for setting in settings_table().values()
            for flag in setting.flags
            if setting.alone is not None
        }
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [*(alone.get(arg, arg) for arg in args[:end]), *args[end:]])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of each group of settings together."""
        groups: dict[str, list[tuple[str, str]]] = {
            OWN_HEADING: [],
            **{name: [] for name in GROUPS},
        }
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                setting = getattr(parameter, "setting", None)
                groups[setting.group if setting else OWN_HEADING].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    # Padded, so that the columns of all groups are one.
                    rows = [(flags.ljust(FLAGS_WIDTH), text) for flags, text in records]
                    formatter.write_dl(rows, col_max=FLAGS_WIDTH)


def setting_options(function: FunctionT) -> FunctionT:
    """Give a command's function an option for each setting."""
    decorate: Any = function
    parameters: list[click.Parameter] = getattr(decorate, "__click_params__", [])
    # click collects decorators from the last to the first.
    parameters.extend(
        SettingOption(setting) for setting in reversed(list(settings_table().values()))
    )
    decorate.__click_params__ = parameters
    return function


def given_settings(
    context: click.Context, values: dict[str, Any], assignments: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the settings somebody has said something about, by name.

    Args:
        context: the command's.
        values: what its options came to.
        assignments: texts of the form NAME=VALUE, which win.

    Raises:
        CannotStart: an assignment names no setting, or what cannot be its value.
    """
    said = {
        name: value
        for name, value in values.items()
        if value is not None and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    return {**said, **assigned(assignments)}


def assigned(assignments: Iterable[str]) -> dict[str, Any]:
    """Return the settings that texts of the form NAME=VALUE say, by name.

    Raises:
        CannotStart: one names no setting, or what cannot be its value.
    """
    given: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        setting = find(name)
        if not equals or setting is None:
            raise CannotStart(
                f"--set {assignment!r} names no setting; there are: {', '.join(settings_table())}"
            )
        try:
            given[setting.name] = setting.parse(text)
        except ValueError as error:
            raise CannotStart(f"--set {assignment!r}: {error}") from error
    return given


def first_sentence(text: str) -> str:
    """Return the beginning of a docstring that is enough in a list of options, without its marks."""
    text = text.replace("``", "").replace("`", "")
    sentence, stop, _ = text.partition(". ")
    return sentence + "." if stop else text


def or_cannot_start(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the server's, and end the command in a line where that could not start.

    Raises:
        CannotStart: in place of a `StartError`.
    """
    try:
        return function(*arguments)
    except StartError as error:
        raise CannotStart(str(error)) from error
