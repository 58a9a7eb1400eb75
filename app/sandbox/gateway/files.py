"""Data Access: the files of a batch that failed (platform.md section 6.2, points 2 to 4).

`/batches/{id}/failed` lists them, with `?path=FILE` it is one's content. `/batches/{id}/meta?path=`
does the same for row_errors, input_files and row_error_samples.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web

from app.sandbox.gateway.batches import number
from app.sandbox.gateway.errors import Turned, api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.lake.cut import Cut, Kind

_LIMIT: Final = 100
_PIECE_BYTES: Final = 65_536
_SAMPLES: Final = 10
# The guide's name and the API file's (section 6.2, point 4).
_SAMPLE_NAMES: Final = ("row_error_samples.json", "row_errors_sample.json")

Files = dict[str, Sequence[bytes]]


async def show_failed(request: web.Request, view: View) -> web.StreamResponse:
    """The files of messages that streaming validation refused; none for any other batch."""
    cut, kind = _batch(request, view)
    files: Files = {}
    if kind == "refused":
        for index, lines in enumerate(cut.refused.files(view.sandbox.config.lines_per_file)):
            files[f"failed_messages_{index}.json"] = lines
    path = request.query.get("path", "")
    if not path:
        return _listing(request, view, files, "")
    return await _content(request, view, files, path)


async def show_meta(request: web.Request, view: View) -> web.StreamResponse:
    """Row errors, their samples, and the names of the input files."""
    cut, kind = _batch(request, view)
    path = request.query.get("path", "").strip("/")
    if path in _SAMPLE_NAMES:
        samples = [line for _, lines in _row_files(view, cut, kind) for line in lines]
        return await _content(request, view, {path: samples[:_SAMPLES]}, path)
    folder, _, name = path.partition("/")
    if folder == "row_errors":
        files: Files = dict(_row_files(view, cut, kind))
    elif folder == "input_files":
        files = {"fileMetaData1.json": [b'{"path":"' + cut.batch_id(kind).encode() + b'"}']}
    else:
        raise api_error(view.sandbox, view.side, 404, f"path {path} not found")
    if not name:
        return _listing(request, view, files, f"{folder}/")
    return await _content(request, view, files, name)


def _row_files(view: View, cut: Cut, kind: Kind) -> Iterator[tuple[str, Sequence[bytes]]]:
    """(name, lines) of each file of row errors; a line names its file, as the samples do."""
    if kind != "landed":
        return
    for rows, pile in cut.rows.items():
        for index, lines in enumerate(pile.files(view.sandbox.config.lines_per_file)):
            name = f"{rows}_{index}.json"
            ending = b',"_filename":"' + name.encode() + b'"}'
            yield name, [line[:-1] + ending for line in lines]


def _batch(request: web.Request, view: View) -> tuple[Cut, Kind]:
    wanted = request.match_info["batch"]
    for cut in view.cuts():
        for kind in cut.kinds():
            if cut.batch_id(kind) == wanted:
                return cut, kind
    raise api_error(view.sandbox, view.side, 404, f"batch {wanted} not found")


def _listing(request: web.Request, view: View, files: Files, folder: str) -> web.Response:
    limit = number(request, view, "limit", _LIMIT)
    if not 1 <= limit <= _LIMIT:
        raise api_error(view.sandbox, view.side, 400, f"limit must be 1 to {_LIMIT}")
    start = number(request, view, "start", 0)
    here = request.url.origin().join(request.url.with_query(None))
    page = view.page(list(files)[start : start + limit])
    data = [
        {
            "name": name,
            # A string, as in the API file and every sample.
            "length": str(sum(len(line) + 1 for line in files[name])),
            "_links": {"self": {"href": f"{here}?path={quote(folder + name, safe='')}"}},
        }
        for name in page
    ]
    body = {"data": data, "_page": {"limit": limit, "count": len(data)}}
    if start + limit < len(files):
        path = {"path": folder.rstrip("/")} if folder else {}
        following = urlencode({**path, "start": start + limit, "limit": limit})
        body["_links"] = {"next": {"href": f"{here}?{following}"}}
    return json_answer(body)


async def _content(request: web.Request, view: View, files: Files, name: str) -> web.StreamResponse:
    """The file in pieces; under a fault its second half never comes and the connection is cut."""
    if name not in files:
        raise _no_file(view, name)
    lines = files[name]
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await response.prepare(request)
    whole = sum(len(line) + 1 for line in lines)
    left = whole // 2 if view.halved else whole
    piece = bytearray()
    for line in lines:
        piece += line + b"\n"
        if len(piece) >= _PIECE_BYTES:
            await response.write(bytes(piece[:left]))
            left -= len(piece[:left])
            piece.clear()
    await response.write(bytes(piece[:left]))
    if view.halved and request.transport is not None:
        request.transport.close()
        return response
    await response.write_eof()
    return response


def _no_file(view: View, name: str) -> Turned:
    return api_error(view.sandbox, view.side, 404, f"file {name} not found")
