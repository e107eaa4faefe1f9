#!/bin/sh
# Installs what the client tests run and Debian does not have: brozzler with yt-dlp, requests, aiohttp, httpx with
# HTTP/2, protobuf and grpcio-tools for Python.
#
#   test/clients/install.sh [FOLDER]        (default: tmp/clients in the checkout, where the tests look too)
#
# Needs python3 with venv; the tests of brozzler need chromium as well. rethinkdb is only imported, no database is needed.
set -eu

BROZZLER_VERSION=1.9.6
AIOHTTP_VERSION=3.14.5
HTTPX_VERSION=0.28.1
folder=${1:-$(dirname "$0")/../../tmp/clients}

mkdir -p "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "brozzler[rethinkdb,yt-dlp]==$BROZZLER_VERSION" "aiohttp==$AIOHTTP_VERSION" \
  "httpx[http2]==$HTTPX_VERSION"
# in an environment of its own: brozzler may want another protobuf
python3 -m venv "$folder/protobuf"
"$folder/protobuf/bin/pip" install --quiet protobuf grpcio-tools websockets

"$folder/venv/bin/python" -c 'import aiohttp, brozzler.worker, h2, httpx, requests, yt_dlp; print("brozzler", brozzler.__version__)'
