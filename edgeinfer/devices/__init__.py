"""What is plugged into this machine, read from /sys, /dev and /proc under any root; scans no network, changes nothing."""
