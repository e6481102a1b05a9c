"""How settings are declared: a section is a frozen data class whose fields carry bounds, a unit and a description.

Declaring loads nothing else. pydantic validates the values of a settings file; it is slow to load, so only then.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import DocInfo, Ge, Gt, Le, Lt, Unit

Seed = Annotated[int, Ge(0), Le(2**31)]
Share = Annotated[float, Ge(0), Le(1)]


def hints(kind: type) -> dict[str, Any]:
    """Return {setting: its annotated type} of a section."""
    return get_type_hints(kind, include_extras=True)


def checked(hint: Any, value: Any) -> Any:
    """Return ``value``; raise ``ValueError`` if it has the wrong type, is NaN or is out of bounds.

    A whole number is accepted where a number is expected.
    """
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(hint, config=ConfigDict(strict=True, allow_inf_nan=False)).validate_python(value)


def meaning(hint: Any) -> str:
    """Return the description of a setting."""
    return next((item.documentation for item in _extras(hint) if isinstance(item, DocInfo)), "")


def allowed(hint: Any) -> str:
    """Return the allowed values of a setting as text: type, bounds and unit.

    >>> allowed(Annotated[int, Ge(2), Le(500)]), allowed(Annotated[float, Gt(0), Lt(1)]), allowed(Literal["a", "b"])
    ('a whole number from 2 to 500', 'a number above 0 and below 1', "'a' or 'b'")
    """
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(kind) is Literal:
        return " or ".join(repr(value) for value in get_args(kind))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    extras = _extras(hint)
    least = next((f"from {item.ge:g}" if isinstance(item, Ge) else f"above {item.gt:g}" for item in extras
                  if isinstance(item, Ge | Gt)), "")
    most = next((f"to {item.le:g}" if isinstance(item, Le) else f"{'and ' if least else ''}below {item.lt:g}"
                 for item in extras if isinstance(item, Le | Lt)), "")
    unit = next((item.unit for item in extras if isinstance(item, Unit)), "")
    return " ".join(part for part in (words, least, most, unit) if part)


def _extras(hint: Any) -> list[Any]:
    return list(hint.__metadata__) if get_origin(hint) is Annotated else []
