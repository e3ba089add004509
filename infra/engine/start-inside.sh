#!/bin/sh
# infra/engine/engine.ts starts this script in separate namespaces (network, mounts, processes). $1 is the folder of this run, $2 the
# engine's data, $3 the name of its control groups. No mount and no port here is visible outside, and everything ends with this process.
set -eu
ip link set lo up
# Locks, sockets of containerd and the engine's state are below /run; they must not be in the machine's /run.
mount -t tmpfs tmpfs /run
# slirp4netns answers DNS at this address. /etc/resolv.conf may point into the /run that was just hidden.
resolver=$(readlink -m /etc/resolv.conf)
mkdir -p "$(dirname "$resolver")"
[ -e "$resolver" ] || : > "$resolver"
echo 'nameserver 10.0.2.3' > "$1/resolv.conf"
mount --bind "$1/resolv.conf" "$resolver"
# docker-init reaps processes that containers leave behind; dockerd as the first process would not.
exec docker-init -- dockerd --config-file /dev/null --data-root "$2" --exec-root /run/docker --pidfile /run/dockerd.pid \
  --host "unix://$1/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$3"
