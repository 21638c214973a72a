#!/bin/sh
# edgeinfer, with all that it needs; uses no network.   sudo sh THIS_FILE
set -e
[ "$(id -u)" -eq 0 ] || { echo "please run as root: sudo sh $0" >&2; exit 1; }
folder=$(mktemp -d)
chmod 755 "$folder" # models are added by the daemon's user
trap 'rm -rf "$folder"' EXIT
tail -n +13 "$0" | tar -xf - -C "$folder"
sh "$folder/install.sh" "$folder"
exit 0
# What follows is a tar archive.
### archive
