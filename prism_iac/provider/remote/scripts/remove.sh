# Removes a version: VERSION. One that VMs still run from stays until a later call.
version=$1
rm -rf "uploads/$version"
[ ! -d "versions/$version" ] || : >"versions/$version/.retired"
for mark in versions/*/.retired; do
    [ -e "$mark" ] || continue
    home=${mark%/.retired}
    # The pattern comes by a pipe: as an argument, grep would find itself.
    if printf "%s\n" "$folder/$home/" | grep -qsF -f - /proc/[0-9]*/cmdline; then
        echo "$home stays: VMs run from it"
    else
        rm -rf "$home"
    fi
done
rmdir uploads versions 2>/dev/null || :
