#!/bin/sh
# Installs the Python client of the transformation service that ours takes the place of, for circe.test.ts.
#
#   test/clients/install-circe.sh [FOLDER]        (default: tmp/clients/circe in the checkout, where the test looks too)
#
# Needs python3 with venv. Its package says nothing of requests, which it imports.
set -eu

CLIENT_VERSION=0.0.8
folder=${1:-$(dirname "$0")/../../tmp/clients/circe}

mkdir -p "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet "circe-client-CERTIC==$CLIENT_VERSION" requests

"$folder/bin/python" -c 'import circe_client, requests; print("circe_client with requests", requests.__version__)'
