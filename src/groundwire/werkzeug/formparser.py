"""The names of ``werkzeug.formparser``."""

from ..http.form_data_parser import FormDataParser as FormDataParser
