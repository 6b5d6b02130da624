# Installs a version into a folder of its own: KIND VERSION SOURCE PYTHON.
kind=$1 version=$2 source=$3 python=$4
home=$folder/versions/$version
rm -f "$home/.retired"
[ ! -e "$home/.complete" ] || exit 0
rm -rf "$home"
mkdir -p "$home/bin"
case $kind in
binary)
    cp "$source" "$home/bin/manager"
    chmod 0700 "$home/bin/manager"
    ;;
*)
    "$python" -c "import sys, venv; sys.exit(sys.version_info < (3, 11))" ||
        fail "$python is not Python 3.11 or newer with venv. Install it on the host, or name another."
    "$python" -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$source"
    ;;
esac
: >"$home/.complete"
