"""`werkzeug.sansio`: what Werkzeug knows of HTTP without input and output."""

from . import http as http
from . import multipart as multipart
from . import request as request
from . import response as response
from . import utils as utils
