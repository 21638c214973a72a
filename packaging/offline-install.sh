#!/bin/sh
# Installs what scripts/bundle packed; the argument is the folder that it was unpacked into.
set -e
from="$1"
arch=$(dpkg --print-architecture)
deb=$(echo "$from"/*.deb)
found=$(dpkg-deb -f "$deb" Architecture)
if [ "$found" != "$arch" ]; then
	echo "this file is for $found, this machine is $arch: take the one that was made with scripts/bundle $arch" >&2
	exit 1
fi

for library in "$from"/lib/*; do
	case "$library" in
	*.deb) dpkg -i "$library" ;;
	*.so*) install -m 644 "$library" /usr/local/lib/libedgetpu.so.1 && ldconfig ;;
	esac
done
dpkg -i "$deb"
for key in "$from"/trust/*; do
	[ ! -e "$key" ] || install -m 644 "$key" /etc/edgeinfer/trust/
done
for model in "$from"/models/*; do
	# As the daemon's user, who owns the store of the service.
	[ ! -e "$model" ] || runuser -u edgeinfer -- edgeinfer model add "$model" --state /var/lib/edgeinfer
done
if [ -e "$from/config/config.toml" ]; then
	if [ -e /etc/edgeinfer/config.toml ]; then
		echo "edgeinfer: /etc/edgeinfer/config.toml stays as it is; the one of this file was not taken"
	else
		install -m 640 -o root -g edgeinfer "$from/config/config.toml" /etc/edgeinfer/config.toml
	fi
	edgeinfer check
	[ ! -d /run/systemd/system ] || systemctl restart edgeinfer
fi
echo "edgeinfer: installed"
