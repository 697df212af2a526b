"""``apnet gallery``: commands of the gallery, by what they do to it."""

from __future__ import annotations

import typer

from apnet.cli.gallery import changes, filling, finding, tracks

app = typer.Typer(
    help="Recognise people again: a gallery that lasts, and can forget.", no_args_is_help=True
)

for command in (
    filling.create,
    filling.add,
    finding.search,
    finding.show,
    finding.list_identities,
    changes.rename,
    changes.merge,
    changes.remove,
    changes.erase,
    changes.expire,
    filling.export,
    filling.import_,
    changes.verify,
    changes.compact,
    finding.stats,
    finding.log,
    tracks.group,
    tracks.assign,
    filling.re_embed,
):
    name = {"list_identities": "list", "import_": "import", "re_embed": "re-embed"}
    app.command(name.get(command.__name__, command.__name__))(command)
