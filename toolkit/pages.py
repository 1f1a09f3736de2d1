"""Pages from templates: whatever is put into one is escaped."""

import pathlib

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: pathlib.Path, **values: object) -> str:
    """Fill a template in; what it includes lies beside it. Raises ValueError for a NaN in JSON."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template(template.name).render(values)
