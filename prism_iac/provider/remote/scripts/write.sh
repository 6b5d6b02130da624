# Writes standard input into a file that only its owner may read: FILE.
mkdir -p "$(dirname "$1")"
cat >"$1.part"
mv "$1.part" "$1"
