"""The types of what stands in a parsed structure, as Pydantic checks them: nothing is turned into what it is not."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bert_tf.errors import UserError
from bert_tf.guard.shown import short

Read = TypeVar("Read", bound="Checked")


class Checked(BaseModel):
    """Some keys of an object in a stranger's file, and the types of their values; other keys may be there.

    Types are strict: "false" is no bool, and 1.0 is no number of examples.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", protected_namespaces=())


def typed(model: type[Read], value: Any, where: str | os.PathLike[str]) -> Read:
    """The keys that `model` names, of their types.

    Args:
        value: what was parsed.
        where: the file, for errors.
    Raises: UserError naming the first key that is missing or of another type, the rule and what came.
    """
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected an object. Received: {short(value)}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part)[:40] for part in first["loc"][:6])
        if first["type"] == "missing":
            raise UserError(f"{where}: expected `{name}`. Received: none") from None
        rule = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise UserError(f"{where}: `{name}` must be {rule}. Received: {short(first['input'])}") from None
