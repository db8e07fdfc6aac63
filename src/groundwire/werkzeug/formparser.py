"""The names of ``werkzeug.formparser``."""

from ..http.form_data_parser import FormDataParser as FormDataParser
from ..http.form_data_parser import MultiPartParser as MultiPartParser
from ..http.form_data_parser import default_stream_factory as default_stream_factory
from ..http.form_data_parser import parse_form_data as parse_form_data
