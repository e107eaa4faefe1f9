#!/bin/sh
# Installs what the interop tests compare with into a folder: Python's warcio, cdxj-indexer, wacz, pywb, prometheus-client and moto (a
# server of S3), and Java's jwarc.
#
#   test/interop/install.sh [FOLDER]        (default: tmp/interop in the checkout, where the tests look too)
#
# Needs python3 with venv, and java 11+ with mvn; on a bare Debian: apt-get install python3-venv default-jre-headless maven
set -eu

WARCIO_VERSION=1.8.1
JWARC_VERSION=${JWARC_VERSION:-0.36.0}
folder=${1:-$(dirname "$0")/../../tmp/interop}

mkdir -p "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "warcio==$WARCIO_VERSION" cdxj-indexer==1.5.0 wacz==0.6.0 pywb==2.10.0 prometheus-client==0.26.0 \
  "moto[s3,server]==5.2.5"

mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  "-Dartifact=org.netpreserve:jwarc:$JWARC_VERSION" "-DoutputDirectory=$folder" -Dmdep.stripVersion=true

"$folder/venv/bin/warcio" --version
java -jar "$folder/jwarc.jar" --version
