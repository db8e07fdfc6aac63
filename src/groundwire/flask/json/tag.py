"""`flask.json.tag`: JSON that keeps what JSON has no type for."""

from markupsafe import Markup as Markup

from ...app.json_tag import JSONTag as JSONTag
from ...app.json_tag import PassDict as PassDict
from ...app.json_tag import PassList as PassList
from ...app.json_tag import TagBytes as TagBytes
from ...app.json_tag import TagDateTime as TagDateTime
from ...app.json_tag import TagDict as TagDict
from ...app.json_tag import TaggedJSONSerializer as TaggedJSONSerializer
from ...app.json_tag import TagMarkup as TagMarkup
from ...app.json_tag import TagTuple as TagTuple
from ...app.json_tag import TagUUID as TagUUID
from ...werkzeug.http import http_date as http_date
from ...werkzeug.http import parse_date as parse_date
from ..json import dumps as dumps
from ..json import loads as loads
