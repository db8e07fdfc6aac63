"""The names of ``werkzeug.sansio.multipart``."""

from ...http.multipart_events import NEED_DATA as NEED_DATA
from ...http.multipart_events import Data as Data
from ...http.multipart_events import Epilogue as Epilogue
from ...http.multipart_events import Event as Event
from ...http.multipart_events import Field as Field
from ...http.multipart_events import File as File
from ...http.multipart_events import MultipartDecoder as MultipartDecoder
from ...http.multipart_events import MultipartEncoder as MultipartEncoder
from ...http.multipart_events import NeedData as NeedData
from ...http.multipart_events import Preamble as Preamble
from ...http.multipart_events import State as State
