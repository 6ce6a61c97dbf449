"""A form with a file, read as it comes: the file goes aside piece by piece, the fields stay small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from freehold.errors import BadRequest, FieldError, Invalid, TooLarge, UnsupportedMediaType
from freehold.media.intake import Intake

MAX_FIELDS = 20
MAX_TEXT_BYTES = 64 * 1024
_HEADER_BYTES = 32 * 1024  # of one line: names of 5,000 characters come in, and have no effect


@dataclass(slots=True)
class Form:
    """What came beside the file."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    declared: str | None = None
    has_file: bool = False


def boundary_of(request: Request) -> bytes:
    """The boundary of the form. Raises UnsupportedMediaType for another kind of body."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UnsupportedMediaType("Send a form: multipart/form-data.", headers={"Accept": "multipart/form-data"})
    return boundary


async def read_form(
    request: Request, boundary: bytes, intake: Intake, *, limit_of: Callable[[Mapping[str, str]], int]
) -> Form:
    """Read the whole form; the part named `file` goes to the intake.

    limit_of: the most that the file may have, by the fields that have come before it.

    Raises BadRequest for one that is malformed or cut short, TooLarge, Invalid where a part is given twice.
    """
    reader = _Reader(boundary)
    async for chunk in request.stream():
        reader.feed(chunk)
        if reader.content:
            content, reader.content = b"".join(reader.content), []
            intake.limit_bytes = limit_of(reader.form.fields)
            await intake.write(content)
    form = reader.end()
    if form.has_file:
        await intake.close()
    return form


class _Reader:
    def __init__(self, boundary: bytes) -> None:
        self.form = Form()
        self.content: list[bytes] = []
        self._text = bytearray()
        self._text_bytes = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._is_ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._field,
                    "on_header_value": self._value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
                max_header_size=_HEADER_BYTES,
            )
        except FormParserError as error:
            raise _malformed() from error

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed() from error

    def end(self) -> Form:
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise _malformed() from error
        if not self._is_ended:
            raise BadRequest("The form is cut short.", code="body.malformed")
        return self.form

    def _begin(self) -> None:
        self._headers, self._header, self._text = {}, (bytearray(), bytearray()), bytearray()

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        self._headers[bytes(self._header[0]).lower()] = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = _decoded(options.get(b"name", b""))
        if not self._name:
            raise BadRequest("A part of the form has no name.", code="body.malformed")
        is_known = self.form.has_file if self._name == "file" else self._name in self.form.fields
        if is_known:
            raise Invalid(errors=[FieldError("repeated", "Give it once", pointer=f"/{self._name[:100]}")])
        if self._name == "file":
            self.form.has_file = True
            filename = options.get(b"filename")
            self.form.filename = None if filename is None else filename.decode("utf-8", "replace")
            declared = self._headers.get(b"content-type")
            self.form.declared = None if declared is None else declared.decode("latin-1")
        elif len(self.form.fields) >= MAX_FIELDS:
            raise BadRequest(f"The form has more than {MAX_FIELDS} fields.", code="body.too_many_values")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            self.content.append(data[start:end])
            return
        self._text_bytes += end - start
        if self._text_bytes > MAX_TEXT_BYTES:
            raise TooLarge(f"The fields beside the file take {MAX_TEXT_BYTES} bytes.", headers={"Connection": "close"})
        self._text += data[start:end]

    def _part_end(self) -> None:
        if self._name != "file":
            self.form.fields[self._name] = _decoded(bytes(self._text))

    def _end(self) -> None:
        self._is_ended = True


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("A field of the form is not UTF-8.", code="body.malformed") from None


def _malformed() -> BadRequest:
    return BadRequest("The form is malformed.", code="body.malformed")
