# Removes a file: FILE.
rm -f "$1"
