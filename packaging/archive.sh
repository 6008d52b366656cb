#!/usr/bin/env bash
# archive.sh BINARY NAME FOLDER: puts a binary, as `skein` or `skein.exe`, with what belongs to it into
# FOLDER/NAME.tar.gz. The same content gives the same bytes. Windows, too, has had tar since 2018.
set -euo pipefail
[ $# -eq 3 ] || { echo "Usage: archive.sh BINARY NAME FOLDER" >&2; exit 2; }
binary=$(realpath "$1") name=$2 folder=$(realpath "$3")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
cp LICENSE README.md CHANGELOG.md "$work/$name/"
case $name in *-linux-*) cp packaging/skein.service "$work/$name/" ;; esac
case $binary in
  *.exe) install -m 755 "$binary" "$work/$name/skein.exe" ;;
  *) install -m 755 "$binary" "$work/$name/skein" ;;
esac
# All files have the time of the commit, so that two runs agree.
tar --create --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w \
  --mtime="@$(git log -1 --format=%ct)" "$name" | gzip -n > "$folder/$name.tar.gz"
