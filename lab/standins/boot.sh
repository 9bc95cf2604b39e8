#!/bin/sh
# The first process of a machine with GPUs, before systemd: what firmware, kernel and udev do at each boot.
# The bus and the folders of modules outlive a reboot here, so what was loaded is taken away first.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
release=$(uname -r)

cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id

/usr/lib/gpufleet-lab/kernel-module forget
if [ -d "/lib/modules/$release" ]; then
    [ -e "/lib/modules/$release/modules.dep.bin" ] || depmod "$release"
    # As udev does: what is blocked stays out, and a module that finds nothing to do is no failure.
    [ -e "/lib/modules/$release/kernel/drivers/gpu/drm/nouveau/nouveau.ko" ] && modprobe -b nouveau
    modprobe -b nvidia 2> /run/coldplug.log
fi

exec /lib/systemd/systemd
